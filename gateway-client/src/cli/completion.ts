import { Command, InvalidArgumentError } from 'commander';

const shells = ['bash', 'zsh'] as const;

/** `strokeshare completion bash|zsh`: prints what the shell's start file takes. */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('print the completion of commands and options for a shell')
    .argument('<shell>', shells.join(' or '), (text) => {
      if (!shells.some((shell) => shell === text)) throw new InvalidArgumentError('It is bash or zsh.');
      return text;
    })
    .addHelpText('after', '\nExample, in ~/.bashrc:\n  source <(strokeshare completion bash)')
    .action((shell: string) => console.log(completionScript(program, shell)));
}

/** The words that may follow each path of commands, as a function of bash; zsh understands it by bashcompinit. */
export function completionScript(program: Command, shell: string): string {
  const cases = pathsOf(program, []).map(
    ({ path, words }) => `    ${JSON.stringify(path.join(' '))}) words=${JSON.stringify(words.join(' '))} ;;`,
  );
  return [
    ...(shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_strokeshare() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" path="" words="" i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "$path ${COMP_WORDS[i]}" in',
    ...pathsOf(program, []).flatMap(({ path }) =>
      path.length === 0
        ? []
        : [`      ${JSON.stringify(` ${path.join(' ')}`)}) path=${JSON.stringify(` ${path.join(' ')}`)} ;;`],
    ),
    '    esac',
    '  done',
    '  case "${path# }" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi',
    '}',
    'complete -o filenames -F _strokeshare strokeshare',
  ].join('\n');
}

function pathsOf(command: Command, path: string[]): { path: string[]; words: string[] }[] {
  const words = [
    ...command.commands.map((child) => child.name()),
    ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    '--help',
  ];
  return [{ path, words }, ...command.commands.flatMap((child) => pathsOf(child, [...path, child.name()]))];
}

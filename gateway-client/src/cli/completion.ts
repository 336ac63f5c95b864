import { Argument, Command, type Option } from 'commander';

/** `strokeshare completion bash|zsh`: prints what the shell's start file takes. */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('print the completion of commands, options and their values for a shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh']))
    .addHelpText('after', '\nExample, in ~/.bashrc:\n  source <(strokeshare completion bash)')
    .action((shell: string) => console.log(completionScript(program, shell)));
}

/** What zsh needs before it understands bash's completion; its own comes first, where the start file has not begun it. */
const ZSH = [
  '(( $+functions[compdef] )) || { autoload -U +X compinit && compinit; }',
  'autoload -U +X bashcompinit && bashcompinit',
];

/** The words that may follow each path of commands, as a function of bash; zsh understands it by bashcompinit. */
export function completionScript(program: Command, shell: string): string {
  const commands = commandsOf(program, []);
  const paths = commands.filter(({ path }) => path !== '').map(({ path }) => quoted(` ${path}`));
  return [
    ...(shell === 'zsh' ? ZSH : []),
    '_strokeshare() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" path="" words="" i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "$path ${COMP_WORDS[i]}" in',
    `      ${paths.join(' | ')}) path="$path \${COMP_WORDS[i]}" ;;`,
    '    esac',
    '  done',
    '  case "${path# } ${COMP_WORDS[COMP_CWORD - 1]}" in',
    ...commands.flatMap(valueCases).map((line) => `    ${line}`),
    '    *) case "${path# }" in',
    ...commands.map((one) => `      ${quoted(one.path)}) words=${quoted(wordsAfter(one).join(' '))} ;;`),
    '    esac ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi',
    '}',
    'complete -o filenames -F _strokeshare strokeshare',
  ].join('\n');
}

interface KnownCommand {
  /** The words that lead to it. */
  path: string;
  command: Command;
}

function commandsOf(command: Command, words: readonly string[]): KnownCommand[] {
  const below = command.commands.flatMap((child) => commandsOf(child, [...words, child.name()]));
  return [{ path: words.join(' '), command }, ...below];
}

function wordsAfter({ command }: KnownCommand): string[] {
  return [
    ...command.commands.map((child) => child.name()),
    ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    '--help',
  ];
}

/** What follows an option that takes a value: one of its choices, or else a file. */
function valueCases({ path, command }: KnownCommand): string[] {
  const withValue = command.options.filter(({ required, optional }) => required || optional);
  const caseOf = (options: readonly Option[], choices: readonly string[]): string =>
    `${options.map(({ long }) => quoted(`${path} ${long ?? ''}`)).join(' | ')}) words=${quoted(choices.join(' '))} ;;`;
  const free = withValue.filter(({ argChoices }) => !argChoices);
  return [
    ...withValue.flatMap((option) => (option.argChoices ? [caseOf([option], option.argChoices)] : [])),
    ...(free.length > 0 ? [caseOf(free, [])] : []),
  ];
}

const quoted = (text: string): string => JSON.stringify(text);

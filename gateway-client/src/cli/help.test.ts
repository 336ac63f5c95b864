import type { Command } from 'commander';
import { program } from '../cli.js';
import { wordsOf } from '../../test/guides/typedLines.js';

/** The command line, whose commands do nothing but tell that they were understood. */
function understood(): { root: Command; seen: string[] } {
  const seen: string[] = [];
  const root = program(new AbortController().signal);
  const each = (command: Command, path: string): void => {
    command.configureOutput({ writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => void seen.push(path));
    for (const child of command.commands) each(child, `${path} ${child.name()}`.trim());
  };
  each(root, '');
  return { root, seen };
}

function leavesOf(command: Command, path: string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((child) => leavesOf(child, [...path, child.name()]));
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

test.each(leavesOf(understood().root))(
  'the help of "%s" has an example that it understands',
  async (path, leaf) => {
    const lines = helpOf(leaf).match(/^ {2}(?:source <\()?strokeshare .+$/gm) ?? [];
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const { root, seen } = understood();
      await root.parseAsync(wordsOf(line), { from: 'user' });
      expect(seen).toEqual([path]);
    }
  },
);

test('every command prints for programs', () => {
  // These print JSON or a script as they are, or nothing but a log.
  const others = /^(agent|completion|query schema|audit lineage|pow \w+)$/;
  const without = leavesOf(understood().root).filter(
    ([, leaf]) => !leaf.options.some((o) => o.long === '--json'),
  );
  expect(without.map(([path]) => path).filter((path) => !others.test(path))).toEqual([]);
});

test('the version is that of the package', async () => {
  const { root } = understood();
  root.exitOverride().configureOutput({ writeOut: (text) => expect(text).toMatch(/^\d+\.\d+\.\d+\n$/) });
  await expect(root.parseAsync(['--version'], { from: 'user' })).rejects.toMatchObject({ exitCode: 0 });
  expect.assertions(2);
});

test('the help lists the exit codes', () => {
  const help = helpOf(understood().root);
  for (const code of ['0 ', '1 ', '2 ', '3 ', '4 ', '130'])
    expect(help).toMatch(new RegExp(`^ {2}${code} +\\w`, 'm'));
});

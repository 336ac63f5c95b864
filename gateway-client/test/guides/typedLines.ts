/** Command lines as people type them, from guides and helps. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';

/** The words of a line behind `strokeshare`, as a shell would hand them over; comments and redirections left out. */
export function wordsOf(line: string): string[] {
  const typed = line.replace(/^.*?strokeshare /, '').replace(/\s(?:#|>).*$|\)$/, '');
  return (typed.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
}

/** The lines of a guide's shell blocks that begin with `strokeshare`. */
export function guideLines(path: string): string[] {
  const blocks = readFileSync(path, 'utf8').match(/^```sh\n[^]*?^```$/gm) ?? [];
  return blocks.flatMap((block) => block.match(/^strokeshare .*$/gm) ?? []);
}

/** The command of a line and the names of its options, "access show --json": what two lines have in common. */
export function shapeOf(root: Command, words: readonly string[]): string {
  let command = root;
  const path: string[] = [];
  for (const word of words) {
    const child = command.commands.find((known) => known.name() === word);
    if (!child) break;
    path.push(word);
    command = child;
  }
  return [...path, ...words.filter((word) => word.startsWith('--')).toSorted()].join(' ');
}

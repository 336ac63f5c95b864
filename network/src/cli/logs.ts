import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from '../daemon/files.js';
import { layout } from '../daemon/layout.js';
import { NetworkError } from '../errors.js';

const ENDING = '.log';

/**
 * The log files of a network whose names begin with `name` (all without it).
 * @throws NetworkError CHAINCODE_UNKNOWN naming the logs that there are
 */
export function findLogs(dir: string, name = ''): { name: string; path: string }[] {
  const { logs } = layout(dir);
  const all = readdirSync(logs)
    .filter((file) => file.endsWith(ENDING))
    .sort();
  const chosen = all.filter((file) => file.startsWith(name));
  if (chosen.length === 0) {
    const known = all.map((file) => file.slice(0, -ENDING.length)).join(', ');
    throw new NetworkError('CHAINCODE_UNKNOWN', `There is no log ${name}; there are ${known || 'none yet'}.`);
  }
  return chosen.map((file) => ({ name: file.slice(0, -ENDING.length), path: join(logs, file) }));
}

/** The last lines of logs, each below its name. */
export function logText(logs: readonly { name: string; path: string }[], lines: number): string {
  return logs.map(({ name, path }) => [`==> ${name} <==`, ...lastLines(path, lines)].join('\n')).join('\n\n');
}

/** Writes what is added to the logs until the user interrupts. */
export async function followLogs(logs: readonly { path: string }[], lines: number): Promise<void> {
  const child = spawn('tail', ['-n', String(lines), '-F', ...logs.map(({ path }) => path)], {
    stdio: 'inherit',
  });
  await once(child, 'exit');
}

/** The Node.js runtimes of this machine that the contracts run on. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Other runtimes, as paths: `STROKESHARE_NODES=/opt/node22/bin/node:/opt/node26/bin/node`. */
const NAMED = 'STROKESHARE_NODES';

/** WebAssembly's exception references: from 22.19, 24.15 and 25 on. */
function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major === 22 ? minor >= 19 : major === 24 ? minor >= 15 : major >= 25;
}

function versionOf(file: string): string | undefined {
  try {
    return execFileSync(file, ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** Runtimes of another version than this one's, by version: those that are named, and what is on the path. */
export function otherRuntimes(): Map<string, string> {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  const named = (process.env[NAMED] ?? '').split(delimiter);
  const found = new Map<string, string>();
  for (const file of [...named, ...onPath]) {
    const version = file !== '' && existsSync(file) ? versionOf(file) : undefined;
    if (version !== undefined && version !== process.version && isSupported(version))
      found.set(version, file);
  }
  return found;
}

/** Why there is nothing to compare with. */
export const NO_OTHER_RUNTIME = `this machine has no supported Node.js beside ${process.version}; ${NAMED} names others`;

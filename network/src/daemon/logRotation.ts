import { copyFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

/** A log of this size begins anew; what it had is kept once, as `NAME.log.old`. */
export const LARGEST_LOG_BYTES = 20 * 1024 * 1024;
const EVERY_MS = 60_000;

/**
 * Shortens the logs of a folder that have grown too long. Whoever writes them keeps the file open for appending, so a
 * log is copied and then emptied; what is written between the two is lost.
 */
export function rotateLogs(dir: string, largest = LARGEST_LOG_BYTES): void {
  for (const name of readdirSync(dir).filter((file) => file.endsWith('.log'))) {
    const path = join(dir, name);
    if (statSync(path).size <= largest) continue;
    copyFileSync(path, `${path}.old`);
    truncateSync(path);
  }
}

/** Looks after the logs of a folder as long as the process runs. */
export function keepLogsShort(dir: string): void {
  setInterval(() => rotateLogs(dir), EVERY_MS).unref();
}

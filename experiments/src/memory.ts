import { readdir, readFile } from 'node:fs/promises';

/**
 * Adds up the memory of all processes that carry `marker` in their environment: a command and whatever it started,
 * detached processes included. Shared pages count once (proportional set size).
 *
 * @param marker - a `NAME=value` that the command was started with.
 * @returns bytes; 0 where the system has no `/proc`.
 */
export async function memoryOf(marker: string): Promise<number> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const sizes = await Promise.all(pids.map((pid) => proportionalSize(pid, marker)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function proportionalSize(pid: string, marker: string): Promise<number> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
    if (!environment.split('\0').includes(marker)) return 0;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    // The process ended between the listing and the reading.
    return 0;
  }
}

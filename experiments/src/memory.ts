import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { promisify } from 'node:util';

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

/**
 * Touches so much memory and gives it back, or half of what is free where that is less. A virtual machine may get its
 * memory only when it is first used, which would be taken for the work of whoever fills the disk's cache first.
 */
export async function touchMemory(bytes: number): Promise<void> {
  const touched = Math.floor(Math.min(bytes, freemem() / 2));
  const piece = 2 ** 28;
  const script = `const kept = []; for (let left = ${touched}; left > 0; left -= ${piece}) kept.push(Buffer.alloc(${piece}, 1));`;
  // In a process of its own, and not one of those that are measured: all of it is given back.
  await promisify(execFile)(process.execPath, ['--eval', script], { env: {} });
}

import { readdir, readFile } from 'node:fs/promises';

/** Ticks of a second in `/proc/PID/stat`: 100 on every Linux (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
const TICKS = 100;

/**
 * Adds up the processor time, in seconds, of this process and of all that carry `marker` in their environment and still
 * run: what a piece of work took is the difference between two readings.
 *
 * @param marker - a `NAME=value` that the others were started with.
 * @returns only this process' time where the system has no `/proc`.
 */
export async function processorTimeOf(marker: string): Promise<number> {
  const { user, system } = process.cpuUsage();
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const others = await Promise.all(pids.map((pid) => timeOf(pid, marker)));
  return others.reduce((sum, seconds) => sum + seconds, (user + system) / 1e6);
}

async function timeOf(pid: string, marker: string): Promise<number> {
  if (Number(pid) === process.pid) return 0;
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
    if (!environment.split('\0').includes(marker)) return 0;
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th word behind it.
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(words[11]) + Number(words[12])) / TICKS;
  } catch {
    // The process ended between the listing and the reading.
    return 0;
  }
}

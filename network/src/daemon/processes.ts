import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * A process that cannot be taken for another one that got its number later: the process id together with the moment
 * it started, as the system writes it.
 */
export const processIdentitySchema = z.strictObject({ pid: z.int().positive(), started: z.string() });
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** The identity of a running process; undefined when there is none with this id (a zombie counts as none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedElsewhere(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.started === identity.started;
}

/** Kills the group that this process led, if its number has not gone to another process since. */
export function killGroup({ pid, started }: ProcessIdentity, signal: NodeJS.Signals = 'SIGKILL'): void {
  const current = identifyProcess(pid);
  // A number stays reserved while a group carries it, so with the leader gone the group is still ours; but not
  // across a restart of the machine.
  if (current ? current.started !== started : epoch(started) !== epoch()) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH') && !isErrno(error, 'EPERM')) throw error;
  }
}

/** Resolves once the process is gone, or with false after the deadline. */
export async function waitForExit(identity: ProcessIdentity, deadlineMs: number): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  // The process is not a child of ours, so there is no event to wait for.
  while (isRunning(identity)) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** Whether `error` is a system error with this code. */
export function isErrno(error: unknown, code: string): boolean {
  // Not `instanceof Error`: system errors may come from another realm, as in tests.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

function startedOnLinux(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command in parentheses may itself hold spaces and parentheses (proc(5)); the fields start behind the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${epoch()}:${fields[19] ?? ''}`;
}

function startedElsewhere(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' || line.startsWith('Z') ? undefined : `${epoch()}:${line.replace(/^\S+\s+/, '')}`;
  } catch {
    return undefined;
  }
}

/** What the start times of a machine count from: the boot on Linux, nothing where they are dates. */
function epoch(started?: string): string {
  if (started !== undefined) return started.split(':', 1)[0] ?? '';
  return process.platform === 'linux'
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : 'date';
}

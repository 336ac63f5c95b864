import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NetworkError } from '../errors.js';
import { readJson } from '../daemon/files.js';
import { layout, MARKER, OWN_ENTRIES, STARTING } from '../daemon/layout.js';
import { readMarker, type Marker } from '../daemon/marker.js';
import { processRecordSchema } from '../daemon/processPool.js';
import {
  identifyProcess,
  isErrno,
  isRunning,
  killGroup,
  processIdentitySchema,
  type ProcessIdentity,
} from '../daemon/processes.js';

/** What a directory holds, found out from what is on the disk and which processes run. */
export type DirectoryState =
  /** Nothing of ours: it may be missing or empty. */
  | { kind: 'absent' }
  /** Files that no network made. */
  | { kind: 'foreign'; entry: string }
  /** A program starts a network there now. */
  | { kind: 'starting'; by: ProcessIdentity }
  /** The making was interrupted. */
  | { kind: 'unfinished'; marker: Marker }
  | { kind: 'running'; daemon: ProcessIdentity; marker: Marker }
  /** Stopped as asked, or crashed: then `crashed` says that its daemon did not clear its record. */
  | { kind: 'stopped'; crashed: boolean; marker: Marker };

/** Finds out what a network directory holds; `self` is a process whose own reservation does not count. */
export function inspectDirectory(dir: string, self?: number): DirectoryState {
  const by = readJson(layout(dir).starting, processIdentitySchema);
  if (by && by.pid !== self && isRunning(by)) return { kind: 'starting', by };
  const marker = readMarker(dir);
  if (!marker) {
    const entry = entriesOf(dir).find((name) => name !== STARTING);
    return entry === undefined ? { kind: 'absent' } : { kind: 'foreign', entry };
  }
  if (marker.phase === 'preparing') return { kind: 'unfinished', marker };
  const daemon = readJson(layout(dir).daemon, processIdentitySchema);
  if (daemon && isRunning(daemon)) return { kind: 'running', daemon, marker };
  return { kind: 'stopped', crashed: daemon !== undefined, marker };
}

/**
 * Reserves the directory for this process while it starts a network there; of two that try at once one succeeds.
 * @returns the topmost directory that was not there before, and what to call when the start is over
 * @throws NetworkError ALREADY_RUNNING
 */
export function reserve(dir: string): { madeDirectory: string | undefined; release: () => void } {
  const path = layout(dir).starting;
  const self = identifyProcess(process.pid);
  const other = readJson(path, processIdentitySchema);
  if (!other || !isRunning(other)) rmSync(path, { force: true });
  const madeDirectory = mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, JSON.stringify(self), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if (!isErrno(cause, 'EEXIST')) throw cause;
    throw new NetworkError('ALREADY_RUNNING', startingSentence(dir, other), { cause });
  }
  return { madeDirectory, release: () => rmSync(path, { force: true }) };
}

/** What to tell whoever finds a network that is being started. */
export function startingSentence(dir: string, by: ProcessIdentity | undefined): string {
  return `A network is just being started in ${dir}${by ? ` (process ${by.pid})` : ''}; wait for it or interrupt it.`;
}

/**
 * The state of a directory in which there must be a network.
 * @throws NetworkError NOT_RUNNING, or ALREADY_RUNNING while one is being started
 */
export function requireNetwork(
  dir: string,
): Exclude<DirectoryState, { kind: 'absent' | 'foreign' | 'starting' }> {
  const state = inspectDirectory(dir);
  if (state.kind === 'starting') throw new NetworkError('ALREADY_RUNNING', startingSentence(dir, state.by));
  if (state.kind === 'absent' || state.kind === 'foreign')
    throw new NetworkError('NOT_RUNNING', `There is no network in ${dir}.`);
  return state;
}

/** Kills the chaincode processes that a killed daemon may have left, and forgets it. */
export function clearProcesses(dir: string): void {
  const { processes, daemon, socket } = layout(dir);
  for (const identity of readJson(processes, processRecordSchema) ?? []) killGroup(identity);
  for (const path of [processes, daemon, socket]) rmSync(path, { force: true });
}

/** Removes what a network wrote, the marker last. */
export function removeContent(dir: string): void {
  rmSync(layout(dir).socket, { force: true });
  for (const entry of OWN_ENTRIES) rmSync(join(dir, entry), { recursive: true, force: true, maxRetries: 3 });
  for (const entry of [`${MARKER}.new`, MARKER]) rmSync(join(dir, entry), { force: true });
}

/** Removes what a network wrote, and the directories that were made for it if they are empty then. */
export function removeNetwork(dir: string, marker: Marker): void {
  removeContent(dir);
  rmSync(join(dir, STARTING), { force: true });
  if (marker.madeDirectory === undefined) return;
  for (let current = dir; current.startsWith(marker.madeDirectory); current = dirname(current))
    if (!removeIfEmpty(current)) return;
}

function removeIfEmpty(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'ENOTEMPTY') || isErrno(error, 'EEXIST') || isErrno(error, 'EBUSY')) return false;
    throw error;
  }
}

function entriesOf(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}

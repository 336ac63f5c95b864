import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from '../errors.js';
import { Resources } from '../resources.js';
import type { AgentContext, AgentEvent } from './context.js';
import type { Evaluators } from './evaluators.js';
import { follow } from './follow.js';
import { AgentLease } from './lease.js';
import { enrolled, openAgent } from './open.js';

/** After an error that another try will not mend at once. */
const PAUSE_MS = 5_000;
/** How often an agent in reserve looks whether the one before it has ended. */
const RESERVE_MS = 1_000;

/** Told what the agent of one folder does; nothing that it is told is a secret or a patient's value. */
export interface AgentObserver {
  /** Another process acts for this folder: this one takes over when that ends. */
  inReserve(folder: string): void;
  serving(context: AgentContext): void;
  /** Everything that there was to do is done. */
  idle(context: AgentContext): void;
  step(event: AgentEvent): void;
  failed(context: AgentContext, error: unknown): void;
}

/** What {@link serveInstitution} works with. */
export interface ServeOptions {
  evaluators: Evaluators;
  signal: AbortSignal;
  observer: AgentObserver;
  /** How long to wait after an error, and between two looks while in reserve (milliseconds). */
  pauses?: { error: number; reserve: number };
}

/**
 * Serves the institution of one folder until the signal is aborted: the first process does, every other one waits in
 * reserve and takes over when it ends.
 *
 * @throws ClientError `PROFILE_INVALID`, `POLICY_INVALID`, `KEY_FILE_INVALID`.
 */
export async function serveInstitution(
  folder: string,
  { evaluators, signal, observer, pauses = { error: PAUSE_MS, reserve: RESERVE_MS } }: ServeOptions,
): Promise<void> {
  await using resources = new Resources();
  const lease = await leaseInTurn(folder, signal, observer, pauses.reserve);
  if (!lease) return;
  resources.use(lease);
  const report = (event: AgentEvent): void => observer.step(event);
  const { context, events } = resources.use(await openAgent(folder, { evaluators, signal, report }));
  observer.serving(context);
  let checked = false;
  while (!signal.aborted) {
    try {
      if (!checked) await enrolled(context);
      checked = true;
      const until = (): boolean => {
        observer.idle(context);
        return false;
      };
      await follow(context, { events, until });
    } catch (error) {
      if (signal.aborted) return;
      observer.failed(context, error);
      await sleep(pauses.error, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The lease as soon as nobody else has it; undefined when the signal comes first. */
async function leaseInTurn(
  folder: string,
  signal: AbortSignal,
  observer: AgentObserver,
  pauseMs: number,
): Promise<AgentLease | undefined> {
  for (let told = false; !signal.aborted; told = true) {
    try {
      return await AgentLease.take(folder);
    } catch (error) {
      if (!(error instanceof ClientError && error.code === 'AGENT_RUNNING')) throw error;
    }
    if (!told) observer.inReserve(folder);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

import { callAtEvents, LedgerError, Wake, type LedgerEvents } from '../connect/index.js';
import { agreementStep } from './agreements.js';
import { ceremonyStep } from './ceremony.js';
import type { AgentContext, Step } from './context.js';
import { jobStep } from './jobs.js';

/** What an institution's agent does, in the order in which it looks. */
export const agentSteps: readonly Step[] = [ceremonyStep, agreementStep, jobStep];

/** Looks again after this long even without an event: deadlines pass without one. */
const IDLE_MS = 5_000;
/** A peer may lag behind the one that an agent reads; after so many passes in vain it is an error. */
const PATIENCE = 8;
const NOT_YET = new Set<string>([
  'ILLEGAL_STATE',
  'NOT_FOUND',
  'TOO_EARLY',
  'PARTIALS_MISSING',
  'SHARES_MISSING',
  'BUSY',
]);

/** Options of {@link follow}. */
export interface FollowOptions {
  /** Events of the consortium's contracts. */
  events: LedgerEvents;
  steps?: readonly Step[];
  /** Ends the loop when it resolves to true; asked whenever nothing is left to do. */
  until?: () => boolean | Promise<boolean>;
  /** What happens to an error that another try will not mend: the default throws it. */
  onError?: (error: unknown) => void;
}

/**
 * Does what the ledger asks of an institution, until `until` says so or the context's signal is aborted: takes steps
 * while there are any, then waits for the next event.
 */
export async function follow(context: AgentContext, options: FollowOptions): Promise<void> {
  const { steps = agentSteps, until = () => false } = options;
  const wake = new Wake();
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const watching = callAtEvents(options.events, wake, signal);
  let inVain = 0;
  try {
    while (!context.signal.aborted) {
      try {
        while (await takeAnyStep(context, steps)) inVain = 0;
        if (await until()) return;
      } catch (error) {
        if (context.signal.aborted) return;
        inVain += 1;
        if (!isNotYet(error) || inVain > PATIENCE) {
          if (!options.onError) throw error;
          options.onError(error);
        }
        await wake.next(100 * 2 ** Math.min(inVain, 5), signal);
        continue;
      }
      await wake.next(IDLE_MS, signal);
    }
  } finally {
    ending.abort();
    await watching;
  }
}

async function takeAnyStep(context: AgentContext, steps: readonly Step[]): Promise<boolean> {
  for (const step of steps) {
    if (context.signal.aborted) return false;
    if (await step(context)) return true;
  }
  return false;
}

function isNotYet(error: unknown): boolean {
  return error instanceof LedgerError && error.contractCode !== undefined && NOT_YET.has(error.contractCode);
}

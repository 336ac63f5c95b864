import { callAtEvents, LedgerError, Wake, type LedgerEvents } from '../connect/index.js';
import { agreementStep } from './agreements.js';
import { ceremonyStep } from './ceremony.js';
import type { AgentContext, Step } from './context.js';
import { jobStep } from './jobs.js';

/** A step, and the contracts whose events may give it something to do: of any contract unless named. */
export interface FollowedStep {
  readonly take: Step;
  readonly contracts?: readonly string[];
}

/**
 * What an institution's agent does, in the order in which it looks. A job hangs on permission, agreement and datasets,
 * so it is looked at whatever happens.
 */
export const agentSteps: readonly FollowedStep[] = [
  { take: ceremonyStep, contracts: ['KeyEpochContract'] },
  { take: agreementStep, contracts: ['AgreementContract', 'InstitutionContract'] },
  { take: jobStep },
];

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
  steps?: readonly FollowedStep[];
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
  /** Steps that may have something to do. */
  const due = new Set(steps);
  let lookedAtAll = Date.now();
  // Deadlines pass without an event, also while others keep coming.
  const markAllInTime = (): void => {
    if (Date.now() - lookedAtAll < IDLE_MS) return;
    steps.forEach((step) => due.add(step));
    lookedAtAll = Date.now();
  };
  const watching = callAtEvents(
    options.events,
    ({ name }) => {
      const contract = name.slice(0, name.indexOf(':'));
      for (const step of steps) if (step.contracts?.includes(contract) ?? true) due.add(step);
      wake.call();
    },
    signal,
  );
  let inVain = 0;
  try {
    while (!context.signal.aborted) {
      try {
        for (;;) {
          markAllInTime();
          if (!(await takeAnyStep(context, steps, due))) break;
          inVain = 0;
        }
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

async function takeAnyStep(
  context: AgentContext,
  steps: readonly FollowedStep[],
  due: Set<FollowedStep>,
): Promise<boolean> {
  for (const step of steps) {
    if (context.signal.aborted) return false;
    // An event that comes while it looks has it look again.
    if (!due.delete(step)) continue;
    let isDone = false;
    try {
      const acted = await step.take(context);
      isDone = !acted;
      if (acted) return true;
    } finally {
      if (!isDone) due.add(step);
    }
  }
  return false;
}

function isNotYet(error: unknown): boolean {
  return error instanceof LedgerError && error.contractCode !== undefined && NOT_YET.has(error.contractCode);
}

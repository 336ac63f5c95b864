import { ledgerEvent } from '@strokeshare/chaincode';
import { callAtEvents, LedgerError, Wake, type LedgerEvent, type LedgerEvents } from '../connect/index.js';
import { agreementStep } from './agreements.js';
import { ceremonyStep } from './ceremony.js';
import type { AgentContext, Step } from './context.js';
import type { Heard } from './heard.js';
import { jobStep } from './jobs.js';

/** A step, and the contracts whose events may give it something to do: of any contract unless named. */
export interface FollowedStep {
  readonly take: Step;
  readonly contracts?: readonly string[];
  /** The contract whose events name what the step has to look at: the rest is as it was. */
  readonly named?: string;
}

/**
 * What an institution's agent does, in the order in which it looks. A job hangs on permission, agreement and datasets,
 * so it is looked at whatever happens.
 */
export const agentSteps: readonly FollowedStep[] = [
  { take: ceremonyStep, contracts: ['KeyEpochContract'] },
  { take: agreementStep, contracts: ['AgreementContract', 'InstitutionContract'] },
  { take: jobStep, named: 'JobContract' },
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
  const due = new Map(steps.map((step) => [step, new Due()]));
  let lookedAtAll = Date.now();
  const markAll = (): void => {
    for (const look of due.values()) look.all = true;
    lookedAtAll = Date.now();
  };
  const watching = callAtEvents(
    options.events,
    (event) => {
      for (const [step, look] of due) look.hear(step, event);
      wake.call();
    },
    signal,
    () => {
      markAll();
      wake.call();
    },
  );
  let inVain = 0;
  try {
    while (!context.signal.aborted) {
      try {
        for (;;) {
          // Deadlines pass without an event, also while others keep coming.
          if (Date.now() - lookedAtAll >= IDLE_MS) markAll();
          if (!(await takeAnyStep(context, due))) break;
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

/** What a step has not looked at since something happened to it. */
class Due {
  all = true;
  /** Where not everything is due. */
  private heard = new Map<string, Heard>();

  hear({ contracts, named }: FollowedStep, { name, payload }: LedgerEvent): void {
    const contract = name.slice(0, name.indexOf(':'));
    const about = contract === named ? readPayload(payload) : undefined;
    if (about) this.note(about.id, { events: 1, state: about.state });
    else if (contracts?.includes(contract) ?? true) this.all = true;
  }

  /** Has the step look; an event that comes meanwhile has it look again. */
  async take(context: AgentContext, { take }: FollowedStep): Promise<boolean> {
    if (!this.all && this.heard.size === 0) return false;
    const { all, heard } = this;
    this.all = false;
    this.heard = new Map();
    let isDone = false;
    try {
      const acted = await take(context, all ? undefined : heard);
      isDone = !acted;
      return acted;
    } finally {
      if (!isDone && all) this.all = true;
      if (!isDone && !all) for (const [id, what] of heard) this.note(id, what);
    }
  }

  private note(id: string, { events, state }: Heard): void {
    const before = this.heard.get(id);
    this.heard.set(id, { events: events + (before?.events ?? 0), state });
  }
}

function readPayload(payload: string): { id: string; state?: string | undefined } | undefined {
  try {
    return ledgerEvent.parse(JSON.parse(payload));
  } catch {
    return undefined;
  }
}

async function takeAnyStep(context: AgentContext, due: ReadonlyMap<FollowedStep, Due>): Promise<boolean> {
  for (const [step, look] of due) {
    if (context.signal.aborted) return false;
    if (await look.take(context, step)) return true;
  }
  return false;
}

function isNotYet(error: unknown): boolean {
  return error instanceof LedgerError && error.contractCode !== undefined && NOT_YET.has(error.contractCode);
}

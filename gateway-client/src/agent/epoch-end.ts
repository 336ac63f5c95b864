/** How attempts and epochs end: given up with a reason, by deadline, by schedule or use; and what is forgotten then. */
import type { Epoch, EpochView } from '@strokeshare/chaincode';
import { FheError } from '@strokeshare/fhe';
import { report, type AgentContext } from './context.js';
import { forgetHolderKey } from './holder-key.js';
import { isTurn } from './turns.js';

/** The flooding budget of an active epoch is looked at so often. */
const BUDGET_LOOK_MS = 60_000;

/** Erases what this institution has of an attempt, in memory and in its vault. */
export async function forgetAttempt(context: AgentContext, epochId: string): Promise<void> {
  context.ceremonies.get(epochId)?.ceremony[Symbol.dispose]();
  context.ceremonies.delete(epochId);
  if (await forgetHolderKey(context, epochId)) report(context, 'ceremony', epochId, 'erased the own share');
}

/**
 * Ends an attempt that cannot go on: nobody may continue with these messages. Dealings that fail their check, or a
 * share that does not open, are disputed, so that the liar is named; everything else is aborted with its reason.
 */
export async function giveUp(context: AgentContext, view: EpochView, error: unknown): Promise<boolean> {
  if (!(error instanceof FheError)) throw error;
  const { consortium, signal } = context;
  const { epochId, attempt, messages, members } = view;
  const dealt = members.every((member) => messages.dealing?.[member]?.bytesHash !== undefined);
  const reason = error.message;
  if (view.state === 'ROUND2' && dealt && isAboutDealings(error)) {
    await consortium.epochs.dispute({ epochId, attempt, reason }, { signal });
    report(context, 'ceremony', epochId, `disputed: ${reason}`);
  } else {
    await consortium.epochs.abort({ epochId, reason }, { signal });
    report(context, 'ceremony', epochId, `aborted: ${reason}`);
  }
  return true;
}

const isAboutDealings = ({ code }: FheError): boolean =>
  code === 'DEALINGS_DISPUTED' || code === 'CEREMONY_MESSAGE_INVALID';

/** Ends an attempt whose deadline has passed; the ledger names who was silent. */
export async function endLate(context: AgentContext, view: EpochView): Promise<boolean> {
  const { epochId, attempt, state, members } = view;
  if (!isTurn(context, `late ${epochId} ${attempt} ${state}`, members)) return false;
  const reason = `The deadline of ${state} passed at ${view.deadline}.`;
  const { abort } = await context.consortium.epochs.abort({ epochId, reason }, { signal: context.signal });
  report(context, 'ceremony', epochId, `aborted: ${abort?.silent?.join(', ') ?? 'nobody'} had been silent`);
  return true;
}

/** Retires an active epoch whose agreed time is over, or whose flooding noise is used up. */
export async function retireWhenDue(context: AgentContext, epoch: Epoch): Promise<boolean> {
  const { consortium, waiting, signal } = context;
  const { epochId, retiresAt, members } = epoch;
  let reason = 'Its agreed time is over.';
  if (retiresAt === undefined || Date.now() < Date.parse(retiresAt)) {
    const looked = waiting.get(`budget ${epochId}`) ?? 0;
    if (Date.now() < looked + BUDGET_LOOK_MS) return false;
    waiting.set(`budget ${epochId}`, Date.now());
    const { budget } = await consortium.epochs.get({ epochId }, { signal });
    if (!budget.exhausted) return false;
    reason = 'Its flooding noise is used up.';
  }
  if (!isTurn(context, `retire ${epochId}`, members)) return false;
  await consortium.epochs.retire({ epochId, reason }, { signal });
  report(context, 'ceremony', epochId, `retired: ${reason}`);
  return true;
}

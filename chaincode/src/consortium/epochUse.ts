/** A key epoch in use: whether it may be used, how it ends, and what is read of it. */
import {
  type AbortEpoch,
  ceremonyLabels,
  type CeremonyMessage,
  type Epoch,
  type EpochState,
  type EpochView,
} from '../api/epochs.js';
import {
  commitments,
  confirmations,
  epochRecords,
  numberKey,
  pastAttempts,
  reveals,
} from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { epochBudget } from '../permission/budgets.js';
import { move, requireState } from '../states/machine.js';
import { epochMachine } from '../states/machines.js';
import { evidenceOf, keyOf, memberEpoch } from './attempts.js';

/** An active epoch reads as retired from the agreed instant on, even before a member stores that. */
export function epochState({ state, retiresAt }: Epoch, now: number): EpochState {
  return state === 'ACTIVE' && retiresAt !== undefined && now >= Date.parse(retiresAt) ? 'RETIRED' : state;
}

/** @throws ContractError ILLEGAL_STATE */
export function requireUsable(epoch: Epoch, now: number): void {
  requireState('key epoch', epochState(epoch, now), ['ACTIVE']);
}

/** Any member may: a share that its holder no longer gives is worth nothing to the others. */
export async function retire(transaction: Transaction, { epochId, reason }: AbortEpoch): Promise<Epoch> {
  const { ledger, caller, at, now } = transaction;
  const epoch = await memberEpoch(transaction, epochId);
  const { exhausted } = await epochBudget(ledger, epoch);
  const cause = epochState(epoch, now) !== epoch.state ? 'SCHEDULE' : exhausted ? 'BUDGET' : 'DECISION';
  const retirement = { by: caller.mspId, cause, reason, at } as const;
  const retired: Epoch = { ...epoch, state: move(epochMachine, epoch.state, 'RETIRED'), retirement };
  await ledger.put(epochRecords, retired, epochId);
  transaction.emit(epochId, retired.state);
  return retired;
}

/** The epoch with all messages of its present attempt, for evaluated transactions. */
export async function view({ ledger }: Transaction, { epochId }: { epochId: string }): Promise<EpochView> {
  const epoch = await ledger.get(epochRecords, epochId);
  const messages: EpochView['messages'] = {};
  for (const label of ceremonyLabels) {
    const key = [...keyOf(epoch), label];
    const committed = await ledger.findAll(commitments, key, epoch.members);
    const revealed = await ledger.findAll(reveals, key, epoch.members);
    const byMember: Record<string, CeremonyMessage> = {};
    for (const [member, { commitment }] of committed) {
      const { at: _, ...opening } = revealed.get(member) ?? { at: '' };
      byMember[member] = { commitment, ...opening };
    }
    if (committed.size > 0) messages[label] = byMember;
  }
  const earlier = Array.from({ length: epoch.attempt - 1 }, (_, i) => numberKey(i + 1));
  return {
    ...epoch,
    messages,
    confirmations: Object.fromEntries(await ledger.findAll(confirmations, keyOf(epoch), epoch.members)),
    ...(await evidenceOf(ledger, epoch)),
    past: [...(await ledger.findEach(pastAttempts, [epochId], earlier)).values()],
    budget: await epochBudget(ledger, epoch),
  };
}

/**
 * Attempts at a key epoch: their keys and deadlines, how one ends, and how the next begins. The attempt's number is part
 * of every key here and of every derivation in the arithmetic, so that nothing of a lost attempt serves again.
 */
import {
  type AbortEpoch,
  type CeremonyLabel,
  type Epoch,
  MAXIMUM_ATTEMPTS,
  type RestartEpoch,
} from '../api/epochs.js';
import { ContractError } from '../errors.js';
import {
  commitments,
  confirmations,
  disclosures,
  epochRecords,
  judgements,
  numberKey,
  pastAttempts,
  type RecordKind,
  reveals,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { move, requireState } from '../states/machine.js';
import { ceremonySteps, epochMachine } from '../states/machines.js';
import { notMember, requireRoster } from './roster.js';

/** The beginning of every key that belongs to an attempt. */
export const keyOf = ({ epochId, attempt }: Pick<Epoch, 'epochId' | 'attempt'>): [string, string] => [
  epochId,
  numberKey(attempt),
];

/** When a state that begins now has to be complete. */
export const deadlineOf = ({ now }: Transaction, stepSeconds: number): string =>
  new Date(now + stepSeconds * 1000).toISOString();

/** @throws ContractError NOT_FOUND, NOT_A_PARTY */
export async function memberEpoch({ ledger, caller }: Transaction, epochId: string): Promise<Epoch> {
  const epoch = await ledger.get(epochRecords, epochId);
  if (!epoch.members.includes(caller.mspId)) throw notMember(caller.mspId, epochId);
  return epoch;
}

/** The same for a step of the ceremony: nothing is taken behind the deadline. */
export async function timelyEpoch(transaction: Transaction, epochId: string): Promise<Epoch> {
  const epoch = await memberEpoch(transaction, epochId);
  if (ceremonySteps[epoch.state] && isLate(transaction, epoch))
    throw new ContractError(
      'DEADLINE_PASSED',
      `The attempt ${epoch.attempt} at ${epochId} had to be past ${epoch.state} at ${epoch.deadline}.`,
    );
  return epoch;
}

export const isLate = ({ now }: Transaction, { deadline }: Epoch): boolean => now >= Date.parse(deadline);

/** Ends an attempt. Before the deadline a member says why; after it, the ledger says who was silent. */
export async function abort(transaction: Transaction, { epochId, reason }: AbortEpoch): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const epoch = await memberEpoch(transaction, epochId);
  // Whoever is disputed does not end the dispute.
  requireState('key epoch', epoch.state, ['OPEN', 'COMMITTED', 'ROUND1', 'ROUND2']);
  const silent = isLate(transaction, epoch) ? await whoIsSilent(ledger, epoch) : undefined;
  const aborted = abortedBy(transaction, epoch, { by: caller.mspId, reason, ...(silent && { silent }) });
  await ledger.put(epochRecords, aborted, epochId);
  transaction.emit(epochId, aborted.state);
  return aborted;
}

export const abortedBy = (
  { at }: Transaction,
  epoch: Epoch,
  abort: Omit<NonNullable<Epoch['abort']>, 'at'>,
): Epoch => ({ ...epoch, state: move(epochMachine, epoch.state, 'ABORTED'), abort: { ...abort, at } });

/** Who has not done the first thing that the state still needs. */
async function whoIsSilent(ledger: Ledger, epoch: Epoch): Promise<string[]> {
  const missing = async (kind: RecordKind<unknown>, labels: readonly CeremonyLabel[]): Promise<string[]> => {
    const silent = new Set<string>();
    for (const label of labels) {
      const posted = await ledger.findEach(kind, [...keyOf(epoch), label], epoch.members);
      for (const member of epoch.members) if (!posted.has(member)) silent.add(member);
    }
    return epoch.members.filter((member) => silent.has(member));
  };
  for (const round of ceremonySteps[epoch.state]?.rounds ?? [])
    for (const kind of [commitments, reveals]) {
      const silent = await missing(kind, round);
      if (silent.length > 0) return silent;
    }
  if (epoch.state !== 'ROUND2') return [];
  const confirmed = await ledger.findEach(confirmations, keyOf(epoch), epoch.members);
  return epoch.members.filter((member) => !confirmed.has(member));
}

/** Begins the next attempt, in the place of the aborted one, whose record is kept. */
export async function restart(transaction: Transaction, request: RestartEpoch): Promise<Epoch> {
  const { ledger, caller, at } = transaction;
  const { epochId, ...changes } = request;
  const before = await memberEpoch(transaction, epochId);
  if (before.attempt >= MAXIMUM_ATTEMPTS)
    throw new ContractError(
      'ILLEGAL_STATE',
      `The key epoch ${epochId} had ${before.attempt} attempts: open another.`,
    );
  const { seed: _seed, dispute: _dispute, abort: _abort, ...kept } = before;
  const stepSeconds = changes.stepSeconds ?? before.stepSeconds;
  const next: Epoch = {
    ...kept,
    ...(changes.members && { members: changes.members }),
    ...(changes.threshold !== undefined && { threshold: changes.threshold }),
    ...(changes.retiresAt !== undefined && { retiresAt: changes.retiresAt }),
    stepSeconds,
    state: move(epochMachine, before.state, 'OPEN'),
    attempt: before.attempt + 1,
    openedBy: caller.mspId,
    openedAt: at,
    deadline: deadlineOf(transaction, stepSeconds),
  };
  await requireRoster(transaction, next);
  await ledger.create(pastAttempts, before, ...keyOf(before));
  await ledger.put(epochRecords, next, epochId);
  transaction.emit(epochId, next.state);
  return next;
}

/** What was shown and judged of an attempt. */
export async function evidenceOf(ledger: Ledger, epoch: Epoch) {
  return {
    disclosures: Object.fromEntries(await ledger.findEach(disclosures, keyOf(epoch), epoch.members)),
    judgements: Object.fromEntries(await ledger.findEach(judgements, keyOf(epoch), epoch.members)),
  };
}

/**
 * A dispute about dealings. The attempt is lost at once, so that its secrets may be shown: every member discloses its
 * sealing key, judges by the public messages, and states whom it finds at fault; what a majority finds alike is the
 * verdict. Contracts do not judge themselves: the messages of five members have thirty megabytes.
 */
import { type DiscloseKey, type DisputeDealings, type Epoch, type JudgeDealings } from '../api/epochs.js';
import { digestOf } from '../api/canonical.js';
import { ContractError } from '../errors.js';
import { disclosures, epochRecords, judgements, reveals } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { move, requireState } from '../states/machine.js';
import { epochMachine } from '../states/machines.js';
import { abortedBy, deadlineOf, isLate, keyOf, memberEpoch, timelyEpoch } from './attempts.js';

export async function dispute(
  transaction: Transaction,
  { epochId, attempt, reason }: DisputeDealings,
): Promise<Epoch> {
  const { ledger, caller, at } = transaction;
  const epoch = await timelyEpoch(transaction, epochId);
  requireAttempt(epoch, attempt);
  requireState('key epoch', epoch.state, ['ROUND2']);
  const dealt = await ledger.findEach(reveals, [...keyOf(epoch), 'dealing'], epoch.members);
  if (dealt.size < epoch.members.length)
    throw new ContractError('ILLEGAL_STATE', 'Nothing is disputed before all dealings are revealed.');
  const disputed: Epoch = {
    ...epoch,
    state: move(epochMachine, epoch.state, 'DISPUTED'),
    dispute: { by: caller.mspId, reason, at },
    deadline: deadlineOf(transaction, epoch.stepSeconds),
  };
  await ledger.put(epochRecords, disputed, epochId);
  transaction.emit(epochId, disputed.state);
  return disputed;
}

/** Until the deadline; whoever has not disclosed by then withholds its key. */
export async function disclose(
  transaction: Transaction,
  { epochId, attempt, disclosure }: DiscloseKey,
): Promise<Epoch> {
  const { ledger, caller, at } = transaction;
  const epoch = await disputedEpoch(transaction, epochId, attempt);
  if (isLate(transaction, epoch))
    throw new ContractError('DEADLINE_PASSED', `The keys had to be disclosed before ${epoch.deadline}.`);
  await ledger.create(disclosures, { disclosure, at }, ...keyOf(epoch), caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function judge(
  transaction: Transaction,
  { epochId, attempt, offenders }: JudgeDealings,
): Promise<Epoch> {
  const { ledger, caller, at } = transaction;
  const epoch = await disputedEpoch(transaction, epochId, attempt);
  const stranger = offenders.find(({ member }) => !epoch.members.includes(member));
  if (stranger) throw new ContractError('BAD_REQUEST', `${stranger.member} takes no part in ${epochId}.`);
  const judgement = { offenders, hash: digestOf(offenders), at };
  await ledger.create(judgements, judgement, ...keyOf(epoch), caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

async function disputedEpoch(transaction: Transaction, epochId: string, attempt: number): Promise<Epoch> {
  const epoch = await memberEpoch(transaction, epochId);
  requireAttempt(epoch, attempt);
  requireState('key epoch', epoch.state, ['DISPUTED']);
  return epoch;
}

function requireAttempt(epoch: Epoch, attempt: number): void {
  if (epoch.attempt !== attempt)
    throw new ContractError(
      'ILLEGAL_STATE',
      `The key epoch ${epoch.epochId} is at its attempt ${epoch.attempt}, not ${attempt}.`,
    );
}

/** The attempt after the dispute: aborted, with whom a majority of the members found at fault in the same words. */
export async function judged(transaction: Transaction, epoch: Epoch): Promise<Epoch> {
  const { ledger, caller, now } = transaction;
  const { members, stepSeconds, deadline } = epoch;
  const votes = [...(await ledger.findEach(judgements, keyOf(epoch), members)).values()];
  const majority = Math.floor(members.length / 2) + 1;
  const verdict = votes.find(({ hash }) => votes.filter((vote) => vote.hash === hash).length >= majority);
  if (verdict) {
    const { offenders } = verdict;
    return abortedBy(transaction, epoch, {
      by: caller.mspId,
      reason: 'The dealings were disputed.',
      offenders,
    });
  }
  // As long for judging as there was for disclosing.
  if (votes.length < members.length && now < Date.parse(deadline) + stepSeconds * 1000)
    throw new ContractError('ILLEGAL_STATE', 'No majority of the members has found the same yet.');
  return abortedBy(transaction, epoch, {
    by: caller.mspId,
    reason: 'The dealings were disputed, and no majority of the members found the same.',
  });
}

/**
 * The steps of the key ceremony. Every message is committed to before any of its label is revealed: otherwise the last
 * sender of a round can choose its message to cancel the others (collective key design, "Key ceremony").
 */
import {
  commitment as commitmentOf,
  epochSeed,
  parameterSet,
  requireSecure,
  sha256Hex,
} from '@strokeshare/fhe';
import {
  type AbortEpoch,
  type CeremonyLabel,
  ceremonyLabels,
  type CeremonyMessage,
  type CommitCeremony,
  type ConfirmEpoch,
  type Epoch,
  type EpochView,
  type OpenEpoch,
  type RevealCeremony,
} from '../api/epochs.js';
import { ContractError } from '../errors.js';
import { commitments, confirmations, epochRecords, institutions, reveals } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { move, requireState } from '../states/machine.js';
import { ceremonySteps, epochMachine } from '../states/machines.js';

export async function open(transaction: Transaction, request: OpenEpoch): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, members, threshold } = request;
  if (!members.includes(caller.mspId)) throw notMember(caller.mspId, epochId);
  if (threshold > members.length)
    throw new ContractError(
      'BAD_REQUEST',
      `A threshold of ${threshold} needs as many members; there are ${members.length}.`,
    );
  for (const member of members) await ledger.get(institutions, member);
  const epoch: Epoch = {
    ...request,
    attempt: 1,
    parameterSetId: acceptedSet(request.parameterSet).id,
    state: 'OPEN',
    openedBy: caller.mspId,
    openedAt: transaction.at,
  };
  await ledger.create(epochRecords, epoch, epochId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function commit(transaction: Transaction, request: CommitCeremony): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, label, commitment } = request;
  const epoch = await memberEpoch(transaction, epochId);
  requireLabel(epoch, label);
  await ledger.create(commitments, { commitment, at: transaction.at }, epochId, label, caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function reveal(transaction: Transaction, request: RevealCeremony): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, label, ...opening } = request;
  const epoch = await memberEpoch(transaction, epochId);
  requireLabel(epoch, label);
  const committed = await ledger.findEach(commitments, [epochId, label], epoch.members);
  const waiting = epoch.members.filter((member) => !committed.has(member));
  if (waiting.length > 0)
    throw new ContractError(
      'ILLEGAL_STATE',
      `Nothing is revealed before ${waiting.join(', ')} committed to ${label}.`,
    );
  checkOpening(epoch, caller.mspId, request, committed.get(caller.mspId)?.commitment);
  await ledger.create(reveals, { ...opening, at: transaction.at }, epochId, label, caller.mspId);
  const next = await afterReveal(ledger, epoch, caller.mspId, request);
  if (next !== epoch) await ledger.put(epochRecords, next, epochId);
  transaction.emit(epochId, next.state);
  return next;
}

export async function confirm(transaction: Transaction, request: ConfirmEpoch): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, ...hashes } = request;
  const epoch = await memberEpoch(transaction, epochId);
  requireState('key epoch', epoch.state, ['ROUND2']);
  const dealt = await ledger.findEach(reveals, [epochId, 'dealing'], epoch.members);
  if (dealt.size < epoch.members.length)
    throw new ContractError(
      'ILLEGAL_STATE',
      'The key epoch is not confirmed before all dealings are revealed.',
    );
  await ledger.create(confirmations, { ...hashes, at: transaction.at }, epochId, caller.mspId);
  const others = await ledger.findEach(confirmations, [epochId], epoch.members);
  others.delete(caller.mspId);
  const next = afterConfirmation(epoch, hashes, others);
  if (next !== epoch) await ledger.put(epochRecords, next, epochId);
  transaction.emit(epochId, next.state);
  return next;
}

export async function abort(transaction: Transaction, { epochId, reason }: AbortEpoch): Promise<Epoch> {
  const epoch = await memberEpoch(transaction, epochId);
  const aborted = abortedBy(epoch, transaction.caller.mspId, reason);
  await transaction.ledger.put(epochRecords, aborted, epochId);
  transaction.emit(epochId, aborted.state);
  return aborted;
}

/** The epoch with all messages, for evaluated transactions. */
export async function view({ ledger }: Transaction, { epochId }: { epochId: string }): Promise<EpochView> {
  const epoch = await ledger.get(epochRecords, epochId);
  const messages: EpochView['messages'] = {};
  for (const label of ceremonyLabels) {
    const committed = await ledger.findEach(commitments, [epochId, label], epoch.members);
    const revealed = await ledger.findEach(reveals, [epochId, label], epoch.members);
    const byMember: Record<string, CeremonyMessage> = {};
    for (const [member, { commitment }] of committed) {
      const { at: _, ...opening } = revealed.get(member) ?? { at: '' };
      byMember[member] = { commitment, ...opening };
    }
    if (committed.size > 0) messages[label] = byMember;
  }
  const confirmed = await ledger.findEach(confirmations, [epochId], epoch.members);
  return { ...epoch, messages, confirmations: Object.fromEntries(confirmed) };
}

/** Sets without security are for this package's own tests. */
function acceptedSet(name: string): { id: string } {
  const set = parameterSet(name);
  if (process.env['NODE_ENV'] === 'test') return set;
  try {
    return requireSecure(set);
  } catch (cause) {
    throw new ContractError('PARAMETERS_REFUSED', `The parameter set ${name} has no security.`, { cause });
  }
}

async function memberEpoch({ ledger, caller }: Transaction, epochId: string): Promise<Epoch> {
  const epoch = await ledger.get(epochRecords, epochId);
  if (!epoch.members.includes(caller.mspId)) throw notMember(caller.mspId, epochId);
  return epoch;
}

const notMember = (mspId: string, epochId: string): ContractError =>
  new ContractError('NOT_A_PARTY', `${mspId} is not a member of the key epoch ${epochId}.`);

function requireLabel(epoch: Epoch, label: CeremonyLabel): void {
  if (!ceremonySteps[epoch.state]?.labels.includes(label))
    throw new ContractError(
      'ILLEGAL_STATE',
      `The key epoch is ${epoch.state}: no message "${label}" belongs there.`,
    );
}

function checkOpening(
  epoch: Epoch,
  sender: string,
  request: RevealCeremony,
  expected: string | undefined,
): void {
  const { epochId, label, nonce, bytesHash, value } = request;
  const { attempt } = epoch;
  if (commitmentOf({ epochId, attempt, sender, label, nonce, bytesHash }) !== expected)
    throw new ContractError('BAD_COMMITMENT', `The reveal does not open ${sender}'s commitment to ${label}.`);
  if ((value !== undefined) !== (label === 'seed'))
    throw new ContractError('BAD_REQUEST', 'The seed, and no other message, is revealed with its value.');
  if (value && sha256Hex(fromBase64(value.contribution), fromBase64(value.sealingKey)) !== bytesHash)
    throw new ContractError(
      'HASH_MISMATCH',
      "The seed's value does not have the hash that was committed to.",
    );
}

/** The epoch after a reveal: the next state if it was the last one of its step. */
async function afterReveal(
  ledger: Ledger,
  epoch: Epoch,
  sender: string,
  request: RevealCeremony,
): Promise<Epoch> {
  const step = ceremonySteps[epoch.state];
  if (!step?.next) return epoch;
  const contributions = new Map<string, Uint8Array>();
  for (const label of step.labels) {
    const revealed = await ledger.findEach(reveals, [epoch.epochId, label], epoch.members);
    if (label === request.label) revealed.set(sender, { ...request, at: '' });
    if (revealed.size < epoch.members.length) return epoch;
    if (label === 'seed')
      for (const [member, { value }] of revealed)
        if (value) contributions.set(member, fromBase64(value.contribution));
  }
  const moved = { ...epoch, state: move(epochMachine, epoch.state, step.next) };
  if (contributions.size === 0) return moved;
  const seed = epochSeed(
    [...contributions].map(([member, contribution]) => ({ sender: member, contribution })),
  );
  return { ...moved, seed: Buffer.from(seed).toString('base64') };
}

/** The epoch after a confirmation: active if it was the last and all are equal, aborted at the first that differs. */
function afterConfirmation(
  epoch: Epoch,
  own: Omit<ConfirmEpoch, 'epochId'>,
  others: ReadonlyMap<string, Omit<ConfirmEpoch, 'epochId'>>,
): Epoch {
  const differing = [...others].find(
    ([, other]) => other.publicKeyHash !== own.publicKeyHash || other.relinKeysHash !== own.relinKeysHash,
  );
  if (differing) return abortedBy(epoch, differing[0], 'The members confirmed different keys.');
  if (others.size + 1 < epoch.members.length) return epoch;
  return { ...epoch, ...own, state: move(epochMachine, epoch.state, 'ACTIVE') };
}

const abortedBy = (epoch: Epoch, by: string, reason: string): Epoch => ({
  ...epoch,
  state: move(epochMachine, epoch.state, 'ABORTED'),
  abort: { by, reason },
});

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

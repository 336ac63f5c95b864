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
  type AdvanceEpoch,
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
import { mayHoldKeys } from '../api/institutions.js';
import { ContractError } from '../errors.js';
import {
  commitments,
  confirmations,
  epochRecords,
  institutions,
  type RecordKind,
  reveals,
} from '../ledger/kinds.js';
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
  for (const member of members) await requireKeyHolder(ledger, member);
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
  const { before } = roundOf(epoch, label);
  await requirePosted(ledger, epoch, reveals, before, `Nothing is committed to ${label}`, 'revealed');
  await ledger.create(commitments, { commitment, at: transaction.at }, epochId, label, caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function reveal(transaction: Transaction, request: RevealCeremony): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, label, ...opening } = request;
  const epoch = await memberEpoch(transaction, epochId);
  const { round } = roundOf(epoch, label);
  // The commitments alone are read, so that all members can reveal at once.
  await requirePosted(ledger, epoch, commitments, round, 'Nothing is revealed', 'committed to');
  const committed = await ledger.find(commitments, epochId, label, caller.mspId);
  checkOpening(epoch, caller.mspId, request, committed?.commitment);
  await ledger.create(reveals, { ...opening, at: transaction.at }, epochId, label, caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function confirm(transaction: Transaction, request: ConfirmEpoch): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, ...hashes } = request;
  const epoch = await memberEpoch(transaction, epochId);
  requireState('key epoch', epoch.state, ['ROUND2']);
  await requirePosted(ledger, epoch, reveals, LAST_ROUND, 'The key epoch is not confirmed', 'revealed');
  await ledger.create(confirmations, { ...hashes, at: transaction.at }, epochId, caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

/** Moves a complete state on. Who comes second finds it moved, which is no error and writes nothing. */
export async function advance(transaction: Transaction, { epochId, from }: AdvanceEpoch): Promise<Epoch> {
  const { ledger } = transaction;
  const epoch = await memberEpoch(transaction, epochId);
  if (epoch.state !== from) return epoch;
  const next = from === 'ROUND2' ? await activated(ledger, epoch) : await advanced(ledger, epoch);
  await ledger.put(epochRecords, next, epochId);
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

export async function retire(transaction: Transaction, { epochId, reason }: AbortEpoch): Promise<Epoch> {
  const { caller, at } = transaction;
  const epoch = await memberEpoch(transaction, epochId);
  const retirement = { by: caller.mspId, reason, at };
  const retired: Epoch = { ...epoch, state: move(epochMachine, epoch.state, 'RETIRED'), retirement };
  await transaction.ledger.put(epochRecords, retired, epochId);
  transaction.emit(epochId, retired.state);
  return retired;
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

/** @throws ContractError NOT_FOUND, NOT_A_PARTY, LEVEL_INSUFFICIENT */
async function requireKeyHolder(ledger: Ledger, mspId: string): Promise<void> {
  const institution = await ledger.get(institutions, mspId);
  const { level, status, hostedBy } = institution;
  if (status !== 'ACTIVE') throw new ContractError('NOT_A_PARTY', `${mspId} is ${status}.`);
  if (!mayHoldKeys(institution))
    throw new ContractError(
      'LEVEL_INSUFFICIENT',
      `${mspId} is of level ${level}${hostedBy === undefined ? '' : ` and hosted by ${hostedBy}`} and holds no share of a collective key.`,
    );
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

const LAST_ROUND: readonly CeremonyLabel[] = ['dealingCheck'];

/** The round that a label belongs to, and the one before it in the same state. */
function roundOf(
  epoch: Epoch,
  label: CeremonyLabel,
): { round: readonly CeremonyLabel[]; before: readonly CeremonyLabel[] } {
  const rounds = ceremonySteps[epoch.state]?.rounds ?? [];
  const index = rounds.findIndex((labels) => labels.includes(label));
  const round = rounds[index];
  if (!round)
    throw new ContractError(
      'ILLEGAL_STATE',
      `The key epoch is ${epoch.state}: no message "${label}" belongs there.`,
    );
  return { round, before: rounds[index - 1] ?? [] };
}

/** @throws ContractError ILLEGAL_STATE unless every member has posted to every label. */
async function requirePosted(
  ledger: Ledger,
  { epochId, members }: Epoch,
  kind: RecordKind<unknown>,
  labels: readonly CeremonyLabel[],
  consequence: string,
  did: string,
): Promise<void> {
  for (const label of labels) {
    const posted = await ledger.findEach(kind, [epochId, label], members);
    const waiting = members.filter((member) => !posted.has(member));
    if (waiting.length > 0)
      throw new ContractError(
        'ILLEGAL_STATE',
        `${consequence} before ${waiting.join(', ')} ${did} ${label}.`,
      );
  }
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

/** The epoch in its next state, once all messages of this one are revealed; the seed is made of its contributions. */
async function advanced(ledger: Ledger, epoch: Epoch): Promise<Epoch> {
  const { epochId, members, state } = epoch;
  const step = ceremonySteps[state];
  const labels = step?.rounds.flat() ?? [];
  await requirePosted(ledger, epoch, reveals, labels, `The key epoch stays ${state}`, 'revealed');
  const moved = { ...epoch, state: move(epochMachine, state, step?.next ?? state) };
  if (!labels.includes('seed')) return moved;
  const revealed = await ledger.findEach(reveals, [epochId, 'seed'], members);
  const seed = epochSeed(
    [...revealed].map(([sender, { value }]) => ({
      sender,
      contribution: fromBase64(value?.contribution ?? ''),
    })),
  );
  return { ...moved, seed: Buffer.from(seed).toString('base64') };
}

/** The epoch after the confirmations: active if all are equal, aborted as soon as two differ. */
async function activated(ledger: Ledger, epoch: Epoch): Promise<Epoch> {
  const { epochId, members } = epoch;
  const confirmed = [...(await ledger.findEach(confirmations, [epochId], members))];
  const [first] = confirmed;
  const differing = confirmed.find(
    ([, { publicKeyHash, relinKeysHash }]) =>
      publicKeyHash !== first?.[1].publicKeyHash || relinKeysHash !== first[1].relinKeysHash,
  );
  if (differing) return abortedBy(epoch, differing[0], 'The members confirmed different keys.');
  if (!first || confirmed.length < members.length)
    throw new ContractError('ILLEGAL_STATE', 'The key epoch is not active before all members confirmed it.');
  const { publicKeyHash, relinKeysHash } = first[1];
  return { ...epoch, publicKeyHash, relinKeysHash, state: move(epochMachine, epoch.state, 'ACTIVE') };
}

const abortedBy = (epoch: Epoch, by: string, reason: string): Epoch => ({
  ...epoch,
  state: move(epochMachine, epoch.state, 'ABORTED'),
  abort: { by, reason },
});

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

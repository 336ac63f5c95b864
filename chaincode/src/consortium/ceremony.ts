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
  type AdvanceEpoch,
  type CeremonyLabel,
  type CommitCeremony,
  type ConfirmEpoch,
  type Epoch,
  type OpenEpoch,
  type RevealCeremony,
} from '../api/epochs.js';
import { ContractError } from '../errors.js';
import {
  commitments,
  confirmations,
  epochRecords,
  type RecordKind,
  reveals,
  usedSecrets,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { abortedBy, deadlineOf, keyOf, memberEpoch, timelyEpoch } from './attempts.js';
import { judged } from './dispute.js';
import { requireRoster } from './roster.js';
import { move, requireState } from '../states/machine.js';
import { ceremonySteps, epochMachine } from '../states/machines.js';

export async function open(transaction: Transaction, request: OpenEpoch): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, members, threshold } = request;
  await requireRoster(transaction, { epochId, members, threshold });
  const epoch: Epoch = {
    ...request,
    attempt: 1,
    parameterSetId: acceptedSet(request.parameterSet).id,
    state: 'OPEN',
    openedBy: caller.mspId,
    openedAt: transaction.at,
    deadline: deadlineOf(transaction, request.stepSeconds),
  };
  await ledger.create(epochRecords, epoch, epochId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function commit(transaction: Transaction, request: CommitCeremony): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, label, commitment } = request;
  const epoch = await timelyEpoch(transaction, epochId);
  const { before } = roundOf(epoch, label);
  await requirePosted(ledger, epoch, reveals, before, `Nothing is committed to ${label}`, 'revealed');
  await ledger.create(commitments, { commitment, at: transaction.at }, ...keyOf(epoch), label, caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function reveal(transaction: Transaction, request: RevealCeremony): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, label, ...opening } = request;
  const epoch = await timelyEpoch(transaction, epochId);
  const { round } = roundOf(epoch, label);
  // The commitments alone are read, so that all members can reveal at once.
  await requirePosted(ledger, epoch, commitments, round, 'Nothing is revealed', 'committed to');
  const committed = await ledger.find(commitments, ...keyOf(epoch), label, caller.mspId);
  checkOpening(epoch, caller.mspId, request, committed?.commitment);
  if (request.value) await useOnce(transaction, epoch, request.value);
  await ledger.create(reveals, { ...opening, at: transaction.at }, ...keyOf(epoch), label, caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

export async function confirm(transaction: Transaction, request: ConfirmEpoch): Promise<Epoch> {
  const { ledger, caller } = transaction;
  const { epochId, ...hashes } = request;
  const epoch = await timelyEpoch(transaction, epochId);
  requireState('key epoch', epoch.state, ['ROUND2']);
  await requirePosted(ledger, epoch, reveals, LAST_ROUND, 'The key epoch is not confirmed', 'revealed');
  await ledger.create(confirmations, { ...hashes, at: transaction.at }, ...keyOf(epoch), caller.mspId);
  transaction.emit(epochId, epoch.state);
  return epoch;
}

/** Moves a complete state on. Who comes second finds it moved, which is no error and writes nothing. */
export async function advance(transaction: Transaction, { epochId, from }: AdvanceEpoch): Promise<Epoch> {
  const { ledger } = transaction;
  const epoch = await memberEpoch(transaction, epochId);
  if (epoch.state !== from) return epoch;
  const next: Epoch = {
    ...(await nextOf(transaction, epoch)),
    deadline: deadlineOf(transaction, epoch.stepSeconds),
  };
  await ledger.put(epochRecords, next, epochId);
  transaction.emit(epochId, next.state);
  return next;
}

/** A contribution to a seed, and a sealing key, serve one member in one attempt of one epoch. */
async function useOnce(
  { ledger, caller: { mspId } }: Transaction,
  { epochId, attempt }: Epoch,
  { contribution, sealingKey }: { contribution: string; sealingKey: string },
): Promise<void> {
  for (const secret of [contribution, sealingKey])
    await ledger.create(usedSecrets, { epochId, attempt, mspId }, sha256Hex(fromBase64(secret)));
}

/** The state that follows, once it is complete. */
function nextOf(transaction: Transaction, epoch: Epoch): Promise<Epoch> {
  switch (epoch.state) {
    case 'ROUND2':
      return activated(transaction, epoch);
    case 'DISPUTED':
      return judged(transaction, epoch);
    default:
      return advanced(transaction.ledger, epoch);
  }
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
  epoch: Epoch,
  kind: RecordKind<unknown>,
  labels: readonly CeremonyLabel[],
  consequence: string,
  did: string,
): Promise<void> {
  for (const label of labels) {
    const posted = await ledger.findEach(kind, [...keyOf(epoch), label], epoch.members);
    const waiting = epoch.members.filter((member) => !posted.has(member));
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
  const { members, state } = epoch;
  const step = ceremonySteps[state];
  const labels = step?.rounds.flat() ?? [];
  await requirePosted(ledger, epoch, reveals, labels, `The key epoch stays ${state}`, 'revealed');
  const moved = { ...epoch, state: move(epochMachine, state, step?.next ?? state) };
  if (!labels.includes('seed')) return moved;
  const revealed = await ledger.findEach(reveals, [...keyOf(epoch), 'seed'], members);
  const seed = epochSeed(
    [...revealed].map(([sender, { value }]) => ({
      sender,
      contribution: fromBase64(value?.contribution ?? ''),
    })),
  );
  return { ...moved, seed: Buffer.from(seed).toString('base64') };
}

/** The epoch after the confirmations: active if all are equal, aborted as soon as two differ. */
async function activated(transaction: Transaction, epoch: Epoch): Promise<Epoch> {
  const { members } = epoch;
  const confirmed = [...(await transaction.ledger.findEach(confirmations, keyOf(epoch), members))];
  const [first] = confirmed;
  const differing = confirmed.find(
    ([, { publicKeyHash, relinKeysHash }]) =>
      publicKeyHash !== first?.[1].publicKeyHash || relinKeysHash !== first[1].relinKeysHash,
  );
  if (differing)
    return abortedBy(transaction, epoch, {
      by: differing[0],
      reason: 'The members confirmed different keys.',
    });
  if (!first || confirmed.length < members.length)
    throw new ContractError('ILLEGAL_STATE', 'The key epoch is not active before all members confirmed it.');
  const { publicKeyHash, relinKeysHash } = first[1];
  return { ...epoch, publicKeyHash, relinKeysHash, state: move(epochMachine, epoch.state, 'ACTIVE') };
}

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

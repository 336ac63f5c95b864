/**
 * Who is a member: seats are named at the founding, given and taken by vote. Every vote is a key of its own; one
 * explicit transaction counts them, so that members vote at once and nobody's peer is needed for an exclusion.
 */
import {
  type ConsortiumRecord,
  type EnrollInstitution,
  type FoundConsortium,
  type Institution,
  levelRights,
  mayHost,
  type Motion,
  type MotionView,
  type ProposeMotion,
  type RotateKeys,
  type Seat,
  type SigningPeriod,
  type VoteOnMotion,
  type VotingRule,
} from '../api/institutions.js';
import { signingKeyOf } from '../api/signing.js';
import { ContractError } from '../errors.js';
import { consortiumRecords, institutions, motions, motionVotes, researchers } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { move, requireState } from '../states/machine.js';
import { motionMachine } from '../states/machines.js';
import { decideByMembers } from './researcherStatus.js';

const SEATS = 'seats';
/** As many as the institution's record has room for. */
const MAXIMUM_KEYS = 100;

/** Approvals that carry a motion among so many who may vote. */
export const neededApprovals = (rule: VotingRule, voters: number): number =>
  ({ majority: Math.floor(voters / 2) + 1, twoThirds: Math.ceil((2 * voters) / 3), all: voters })[rule];

/** Possible once; only a founding member does it, and every member's agent compares it with what it knows. */
export async function found(transaction: Transaction, request: FoundConsortium): Promise<ConsortiumRecord> {
  const { ledger, caller } = transaction;
  for (const seat of request.members) requireHost(seat, request.members);
  if (!request.members.some(({ mspId }) => mspId === caller.mspId))
    throw new ContractError('NOT_A_PARTY', `${caller.mspId} is not one of the founding members.`);
  const record = { ...request, foundedBy: caller.mspId, foundedAt: transaction.at };
  await ledger.create(consortiumRecords, record, SEATS);
  transaction.emit(caller.mspId, 'FOUNDED');
  return record;
}

export const readConsortium = (ledger: Ledger): Promise<ConsortiumRecord> =>
  ledger.get(consortiumRecords, SEATS);

export async function enroll(transaction: Transaction, request: EnrollInstitution): Promise<Institution> {
  signingKeyOf(request.signingKey);
  const { ledger, at } = transaction;
  const { mspId, subject } = transaction.caller;
  const { members } = await readConsortium(ledger);
  const seat = members.find((member) => member.mspId === mspId);
  if (!seat) throw new ContractError('NOT_A_PARTY', `${mspId} has no seat in the consortium.`);
  const before = await ledger.find(institutions, mspId);
  if (before?.status === 'ACTIVE')
    throw new ContractError('ALREADY_EXISTS', `There is already an institution "${mspId}".`);
  const institution: Institution = {
    ...request,
    ...seat,
    subject,
    status: 'ACTIVE',
    enrolledAt: at,
    signingKeys: withKey(before?.signingKeys ?? [], request.signingKey, at),
  };
  await ledger.put(institutions, institution, mspId);
  transaction.emit(mspId, institution.status);
  return institution;
}

/** The agent that enrolled the keys puts others in their place; what the old one signed stays verifiable. */
export async function rotateKeys(transaction: Transaction, request: RotateKeys): Promise<Institution> {
  signingKeyOf(request.signingKey);
  const { ledger, at } = transaction;
  const before = await transaction.institution();
  if (before.signingKeys.some(({ signingKey }) => signingKey === request.signingKey))
    throw new ContractError('BAD_KEY', `${before.mspId} has had this signing key before.`);
  const rotated: Institution = {
    ...before,
    ...request,
    signingKeys: withKey(before.signingKeys, request.signingKey, at),
  };
  await ledger.put(institutions, rotated, before.mspId);
  transaction.emit(before.mspId, rotated.status);
  return rotated;
}

/** The history with a new key at its end, and no key before it in use any longer. */
function withKey(history: readonly SigningPeriod[], signingKey: string, from: string): SigningPeriod[] {
  if (history.length === MAXIMUM_KEYS)
    throw new ContractError('BAD_KEY', `An institution has at most ${MAXIMUM_KEYS} signing keys.`);
  return [...closed(history, from), { signingKey, from }];
}

/** No key of the history is in use from an instant on. */
const closed = (history: readonly SigningPeriod[], until: string): SigningPeriod[] =>
  history.map((period) => ({ ...period, until: period.until ?? until }));

export async function propose(transaction: Transaction, content: ProposeMotion): Promise<Motion> {
  const { ledger, caller } = transaction;
  const { motionId } = content;
  const { level } = await transaction.institution();
  if (!levelRights[level].proposes)
    throw new ContractError('LEVEL_INSUFFICIENT', `An institution of level ${level} proposes no motions.`);
  await requireSense(ledger, content);
  const motion: Motion = {
    motionId,
    content,
    state: 'OPEN',
    proposedBy: caller.mspId,
    proposedAt: transaction.at,
  };
  await ledger.create(motions, motion, motionId);
  transaction.emit(motionId, motion.state);
  return motion;
}

/** A motion asks for something that is not so already. */
async function requireSense(ledger: Ledger, content: ProposeMotion): Promise<void> {
  if (content.kind === 'suspendResearcher' || content.kind === 'restoreResearcher') {
    const { suspensions } = await ledger.get(researchers, content.researcherId);
    const suspended = suspensions.members !== undefined;
    if (suspended === (content.kind === 'suspendResearcher'))
      throw new ContractError(
        'ILLEGAL_STATE',
        `The members ${suspended ? 'have' : 'have not'} suspended ${content.researcherId}.`,
      );
    return;
  }
  const { mspId, kind } = content;
  const { members } = await readConsortium(ledger);
  if (members.some((member) => member.mspId === mspId) === (kind === 'admit'))
    throw new ContractError('ILLEGAL_STATE', `${mspId} has ${kind === 'admit' ? 'a' : 'no'} seat already.`);
  if (kind === 'admit') requireHost(seatOf(content), members);
}

/** @throws ContractError LEVEL_INSUFFICIENT where a seat names a host that may not be its host. */
function requireHost(guest: Seat, members: readonly Seat[]): void {
  if (guest.hostedBy === undefined) return;
  const host = members.find(({ mspId }) => mspId === guest.hostedBy);
  if (!host || !mayHost(host, guest))
    throw new ContractError(
      'LEVEL_INSUFFICIENT',
      `${guest.hostedBy} is no member of a level that hosts ${guest.mspId} (${guest.level}).`,
    );
}

const seatOf = ({ mspId, level, hostedBy }: Seat): Seat => ({
  mspId,
  level,
  ...(hostedBy !== undefined && { hostedBy }),
});

export async function vote(transaction: Transaction, { motionId, approve }: VoteOnMotion): Promise<Motion> {
  const { ledger, caller, at } = transaction;
  const motion = await ledger.get(motions, motionId);
  requireState('motion', motion.state, ['OPEN']);
  if (!votersOf(await readConsortium(ledger), motion).includes(caller.mspId))
    throw new ContractError('NOT_A_PARTY', `${caller.mspId} has no vote on ${motionId}.`);
  await ledger.create(motionVotes, { approve, at }, motionId, caller.mspId);
  transaction.emit(motionId, motion.state);
  return motion;
}

/** Counts the votes of those who are members now, and does what was decided. */
export async function closeMotion(
  transaction: Transaction,
  { motionId }: { motionId: string },
): Promise<Motion> {
  const { ledger } = transaction;
  const motion = await ledger.get(motions, motionId);
  requireState('motion', motion.state, ['OPEN']);
  const record = await readConsortium(ledger);
  const voters = votersOf(record, motion);
  const votes = [...(await ledger.findEach(motionVotes, [motionId], voters)).values()];
  const approvals = votes.filter(({ approve }) => approve).length;
  const needed = neededApprovals(record.rule, voters.length);
  const possible = voters.length - votes.length + approvals;
  if (approvals < needed && possible >= needed)
    throw new ContractError(
      'ILLEGAL_STATE',
      `The motion ${motionId} has ${approvals} of ${needed} approvals and is still open.`,
    );
  const state = approvals >= needed ? 'CARRIED' : 'REJECTED';
  const closed: Motion = { ...motion, state: move(motionMachine, motion.state, state), approvals, needed };
  if (state === 'CARRIED') await carry(transaction, record, closed);
  await ledger.put(motions, closed, motionId);
  const { content } = closed;
  transaction.record({
    state,
    reason: content.reason,
    institutions: [...new Set([...voters, ...('mspId' in content ? [content.mspId] : [])])],
  });
  transaction.emit(motionId, state);
  return closed;
}

export async function viewMotion(
  { ledger }: Transaction,
  { motionId }: { motionId: string },
): Promise<MotionView> {
  const motion = await ledger.get(motions, motionId);
  const voters = (await readConsortium(ledger)).members.map(({ mspId }) => mspId);
  return { ...motion, votes: Object.fromEntries(await ledger.findEach(motionVotes, [motionId], voters)) };
}

/** Nobody votes on the own exclusion. */
const votersOf = ({ members }: ConsortiumRecord, { content }: Motion): string[] =>
  members.map(({ mspId }) => mspId).filter((mspId) => content.kind !== 'exclude' || mspId !== content.mspId);

async function carry(transaction: Transaction, record: ConsortiumRecord, motion: Motion): Promise<void> {
  const { content } = motion;
  if (content.kind === 'suspendResearcher' || content.kind === 'restoreResearcher')
    await decideByMembers(transaction, motion.motionId, content);
  else await reseat(transaction, record, content);
}

async function reseat(
  { ledger, at }: Transaction,
  record: ConsortiumRecord,
  content: Extract<ProposeMotion, { kind: 'admit' | 'exclude' }>,
): Promise<void> {
  const { mspId } = content;
  const others = record.members.filter((member) => member.mspId !== mspId);
  const members = content.kind === 'admit' ? [...others, seatOf(content)] : others;
  await ledger.put(consortiumRecords, { ...record, members }, SEATS);
  const institution = await ledger.find(institutions, mspId);
  if (content.kind === 'exclude' && institution)
    await ledger.put(
      institutions,
      { ...institution, status: 'EXCLUDED', signingKeys: closed(institution.signingKeys, at) },
      mspId,
    );
}

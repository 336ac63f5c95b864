/**
 * One member's part in the key ceremony: every message is committed to by all members before any is revealed; the
 * ledger carries hashes, the stores carry the messages.
 */
import { randomBytes } from 'node:crypto';
import { ceremonyStates, ceremonySteps, type CeremonyLabel, type EpochView } from '@strokeshare/chaincode';
import { commitment, KeyCeremony, parameterSetById, requireSecure, sha256Hex } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import {
  allPages,
  report,
  type AgentContext,
  type OngoingCeremony,
  type SentMessage,
  type Step,
} from './context.js';
import { agreedSeed, messagesOf, seedValues } from './ceremony-messages.js';
import { disputeStep } from './dispute.js';
import { endLate, forgetAttempt, giveUp, retireWhenDue } from './epoch-end.js';
import { storeHolderKey } from './holder-key.js';

type Progress = 'acted' | 'waiting' | 'done';

/** After this long without a move, any member moves a complete state on, not only the first. */
const TAKEOVER_MS = 10_000;

/** Takes the next step of any ceremony that this institution is a member of. */
export const ceremonyStep: Step = async (context) => {
  const { consortium, mspId, signal } = context;
  const epochs = await allPages((after) =>
    consortium.epochs.list(after === undefined ? {} : { after }, { signal }),
  );
  for (const epoch of epochs) {
    const { epochId, state } = epoch;
    if (!epoch.members.includes(mspId)) continue;
    if (state === 'ABORTED' || state === 'RETIRED') await forgetAttempt(context, epochId);
    else if (state === 'ACTIVE') {
      if (await retireWhenDue(context, epoch)) return true;
    } else {
      const view = await consortium.epochs.get({ epochId }, { signal });
      if (await stepOf(context, view)) return true;
    }
  }
  return false;
};

async function stepOf(context: AgentContext, view: EpochView): Promise<boolean> {
  if (view.state === 'DISPUTED') return disputeStep(context, view);
  try {
    if (await advance(context, view)) return true;
  } catch (error) {
    return giveUp(context, view, error);
  }
  return Date.now() >= Date.parse(view.deadline) && endLate(context, view);
}

async function advance(context: AgentContext, view: EpochView): Promise<boolean> {
  const ongoing = await ongoingCeremony(context, view);
  const step = ceremonySteps[view.state];
  if (!ongoing || !step) return false;
  for (const round of step.rounds) {
    const progress = await advanceRound(context, view, ongoing, round);
    if (progress !== 'done') return progress === 'acted';
  }
  if (step.next === 'ACTIVE') {
    if (!view.confirmations[context.mspId]) {
      await confirm(context, view, ongoing);
      return true;
    }
    if (view.members.some((member) => !view.confirmations[member])) return false;
  }
  return moveOn(context, view, ongoing);
}

/** Commits to every message of a round; reveals them once everybody has committed to all. */
async function advanceRound(
  context: AgentContext,
  view: EpochView,
  ongoing: OngoingCeremony,
  round: readonly CeremonyLabel[],
): Promise<Progress> {
  const { mspId } = context;
  const { members, messages } = view;
  const uncommitted = round.filter((label) => !messages[label]?.[mspId]);
  for (const label of uncommitted) await commit(context, view, ongoing, label);
  if (uncommitted.length > 0) return 'acted';
  if (round.some((label) => members.some((member) => !messages[label]?.[member]))) return 'waiting';
  const isRevealed = (label: CeremonyLabel, member: string): boolean =>
    messages[label]?.[member]?.bytesHash !== undefined;
  const hidden = round.filter((label) => !isRevealed(label, mspId));
  for (const label of hidden) await reveal(context, view, ongoing, label);
  if (hidden.length > 0) return 'acted';
  return round.every((label) => members.every((member) => isRevealed(label, member))) ? 'done' : 'waiting';
}

/** Moves a complete state on: the first member at once, the others when it does not. */
async function moveOn(context: AgentContext, view: EpochView, ongoing: OngoingCeremony): Promise<boolean> {
  const { mspId, consortium, signal } = context;
  const { epochId, state, members } = view;
  if (!isOneOf(state, ceremonyStates)) return false;
  if (ongoing.complete?.state !== state) ongoing.complete = { state, since: Date.now() };
  if (members[0] !== mspId && Date.now() < ongoing.complete.since + TAKEOVER_MS) return false;
  const moved = await consortium.epochs.advance({ epochId, from: state }, { signal });
  report(context, 'ceremony', epochId, `moved from ${state} to ${moved.state}`);
  return true;
}

const isOneOf = <T extends string>(value: string, list: readonly T[]): value is T =>
  list.some((entry) => entry === value);

async function ongoingCeremony(context: AgentContext, view: EpochView): Promise<OngoingCeremony | undefined> {
  const { epochId, attempt, members, threshold } = view;
  const known = context.ceremonies.get(epochId);
  if (known?.attempt === attempt) return known;
  // Nothing of an attempt before serves in this one.
  if (known || attempt > 1) await forgetAttempt(context, epochId);
  if (view.messages.seed?.[context.mspId]) {
    // Without its secrets this member cannot go on, and to begin anew under the same commitments would be unsound.
    const reason = `${context.mspId} lost its part of the ceremony at a restart.`;
    await context.consortium.epochs.abort({ epochId, reason }, { signal: context.signal });
    report(context, 'ceremony', epochId, 'aborted: this member was restarted in the middle');
    return undefined;
  }
  const set = requireSecure(parameterSetById(view.parameterSetId));
  const ceremony = await KeyCeremony.create({
    set,
    epochId,
    attempt,
    members,
    self: context.mspId,
    threshold,
  });
  const ongoing: OngoingCeremony = { ceremony, attempt, sent: new Map() };
  context.ceremonies.set(epochId, ongoing);
  return ongoing;
}

async function commit(
  context: AgentContext,
  view: EpochView,
  ongoing: OngoingCeremony,
  label: CeremonyLabel,
): Promise<void> {
  const { mspId: sender, consortium, signal } = context;
  const { epochId, attempt } = view;
  // A message is made once, even if committing to it has to be tried again.
  const sent = ongoing.sent.get(label) ?? newMessage(await produce(context, view, ongoing, label));
  ongoing.sent.set(label, sent);
  const { bytesHash, nonce } = sent;
  const content = { epochId, attempt, sender, label, nonce, bytesHash };
  await consortium.epochs.commit({ epochId, label, commitment: commitment(content) }, { signal });
  report(context, 'ceremony', epochId, `committed to ${label}`);
}

function newMessage(bytes: Uint8Array): SentMessage {
  return { bytes, bytesHash: sha256Hex(bytes), nonce: randomBytes(32).toString('hex') };
}

async function reveal(
  context: AgentContext,
  { epochId }: EpochView,
  { ceremony, sent }: OngoingCeremony,
  label: CeremonyLabel,
): Promise<void> {
  const own = sent.get(label);
  if (!own) throw new ClientError('CEREMONY_FAILED', `The own message ${label} of epoch ${epochId} is lost.`);
  const { nonce, bytesHash, bytes } = own;
  const seed = label === 'seed';
  if (!seed) await context.store.put(bytes);
  await context.consortium.epochs.reveal(
    {
      epochId,
      label,
      nonce,
      bytesHash,
      ...(seed && {
        value: {
          contribution: base64(bytes.subarray(0, bytes.length - ceremony.sealingPublicKey.length)),
          sealingKey: base64(ceremony.sealingPublicKey),
        },
      }),
    },
    { signal: context.signal },
  );
  report(context, 'ceremony', epochId, `revealed ${label}`);
}

async function produce(
  context: AgentContext,
  view: EpochView,
  { ceremony }: OngoingCeremony,
  label: CeremonyLabel,
): Promise<Uint8Array> {
  switch (label) {
    case 'seed':
      return Buffer.concat([ceremony.seedContribution(), ceremony.sealingPublicKey]);
    case 'publicKey':
      return ceremony.publicKeyShare(agreedSeed(view));
    case 'relin1':
      return ceremony.relinRound1();
    case 'relin2':
      return ceremony.relinRound2(await messagesOf(context, view, 'relin1'));
    case 'dealing': {
      const sealingKeys = seedValues(view).map(({ sender, sealingKey }): [string, Uint8Array] => [
        sender,
        sealingKey,
      ]);
      return ceremony.dealings(new Map(sealingKeys));
    }
    case 'dealingCheck':
      return ceremony.dealingCheck(await messagesOf(context, view, 'dealing'));
  }
}

async function confirm(context: AgentContext, view: EpochView, ongoing: OngoingCeremony): Promise<void> {
  const { epochId } = view;
  ongoing.result ??= await finish(context, view, ongoing);
  await context.consortium.epochs.confirm({ epochId, ...ongoing.result }, { signal: context.signal });
  report(context, 'ceremony', epochId, 'confirmed the collective keys');
}

async function finish(
  context: AgentContext,
  view: EpochView,
  { ceremony }: OngoingCeremony,
): Promise<{ publicKeyHash: string; relinKeysHash: string }> {
  const [publicKeys, round1, round2, dealings, checks] = await Promise.all([
    messagesOf(context, view, 'publicKey'),
    messagesOf(context, view, 'relin1'),
    messagesOf(context, view, 'relin2'),
    messagesOf(context, view, 'dealing'),
    messagesOf(context, view, 'dealingCheck'),
  ]);
  const [publicKeyHash, relinKeysHash] = await Promise.all([
    context.store.put(ceremony.combinePublicKey(publicKeys)),
    context.store.put(ceremony.combineRelinKeys(round1, round2)),
  ]);
  using key = await ceremony.finish(dealings, { checks, publicKeys });
  await storeHolderKey(context, key);
  return { publicKeyHash, relinKeysHash };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/**
 * One member's part in the key ceremony: every message is committed to by all members before any is revealed; the
 * ledger carries hashes, the stores carry the messages.
 */
import { randomBytes } from 'node:crypto';
import type { CeremonyLabel, EpochView } from '@strokeshare/chaincode';
import {
  commitment,
  epochSeed,
  KeyCeremony,
  parameterSetById,
  requireSecure,
  sha256Hex,
} from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import {
  allPages,
  report,
  type AgentContext,
  type OngoingCeremony,
  type SentMessage,
  type Step,
} from './context.js';
import { storeHolderKey } from './holder-key.js';

/** Labels that travel together; a group begins when the one before is revealed by all. */
const ROUNDS: readonly (readonly CeremonyLabel[])[] = [
  ['seed'],
  ['publicKey', 'relin1'],
  ['relin2'],
  ['dealing'],
];
const UNFINISHED = new Set(['OPEN', 'COMMITTED', 'ROUND1', 'ROUND2']);

type Progress = 'acted' | 'waiting' | 'done';

/** Takes the next step of any ceremony that this institution is a member of. */
export const ceremonyStep: Step = async (context) => {
  const { consortium, mspId, signal } = context;
  const epochs = await allPages((after) =>
    consortium.epochs.list(after === undefined ? {} : { after }, { signal }),
  );
  for (const { epochId, state, members } of epochs) {
    if (!UNFINISHED.has(state)) forget(context, epochId);
    else if (members.includes(mspId)) {
      const view = await consortium.epochs.get({ epochId }, { signal });
      if (await advance(context, view)) return true;
    }
  }
  return false;
};

async function advance(context: AgentContext, view: EpochView): Promise<boolean> {
  const ongoing = await ongoingCeremony(context, view);
  if (!ongoing) return false;
  for (const labels of ROUNDS) {
    const progress: Progress[] = [];
    for (const label of labels) progress.push(await advanceLabel(context, view, ongoing, label));
    if (progress.includes('acted')) return true;
    if (progress.includes('waiting')) return false;
  }
  if (view.confirmations[context.mspId]) return false;
  await confirm(context, view, ongoing);
  return true;
}

async function ongoingCeremony(context: AgentContext, view: EpochView): Promise<OngoingCeremony | undefined> {
  const { epochId, attempt, members, threshold } = view;
  const known = context.ceremonies.get(epochId);
  if (known?.attempt === attempt) return known;
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

async function advanceLabel(
  context: AgentContext,
  view: EpochView,
  ongoing: OngoingCeremony,
  label: CeremonyLabel,
): Promise<Progress> {
  const { mspId, consortium, signal } = context;
  const { epochId, attempt, members } = view;
  const messages = view.messages[label] ?? {};
  if (!messages[mspId]) {
    // A message is made once, even if committing to it has to be tried again.
    const sent = ongoing.sent.get(label) ?? newMessage(await produce(context, view, ongoing, label));
    ongoing.sent.set(label, sent);
    const { bytesHash, nonce } = sent;
    await consortium.epochs.commit(
      {
        epochId,
        label,
        commitment: commitment({ epochId, attempt, sender: mspId, label, nonce, bytesHash }),
      },
      { signal },
    );
    report(context, 'ceremony', epochId, `committed to ${label}`);
    return 'acted';
  }
  if (members.some((member) => !messages[member])) return 'waiting';
  if (messages[mspId].bytesHash === undefined) {
    await reveal(context, view, ongoing, label);
    return 'acted';
  }
  return members.some((member) => messages[member]?.bytesHash === undefined) ? 'waiting' : 'done';
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
  const [publicKeys, round1, round2, dealings] = await Promise.all([
    messagesOf(context, view, 'publicKey'),
    messagesOf(context, view, 'relin1'),
    messagesOf(context, view, 'relin2'),
    messagesOf(context, view, 'dealing'),
  ]);
  const [publicKeyHash, relinKeysHash] = await Promise.all([
    context.store.put(ceremony.combinePublicKey(publicKeys)),
    context.store.put(ceremony.combineRelinKeys(round1, round2)),
  ]);
  using key = await ceremony.finish(dealings);
  await storeHolderKey(context, key);
  return { publicKeyHash, relinKeysHash };
}

/** The messages of one label by member, each fetched by the hash that the ledger holds. */
async function messagesOf(
  context: AgentContext,
  view: EpochView,
  label: CeremonyLabel,
): Promise<Map<string, Uint8Array>> {
  const entries = await Promise.all(
    view.members.map(async (member): Promise<[string, Uint8Array]> => {
      const hash = checkedReveal(view, label, member);
      return [
        member,
        await (member === context.mspId ? context.store.get(hash) : context.peers.get(member, hash)),
      ];
    }),
  );
  return new Map(entries);
}

/** The hash that a member revealed, checked here again against its commitment. */
function checkedReveal(view: EpochView, label: CeremonyLabel, sender: string): string {
  const message = view.messages[label]?.[sender];
  const { nonce, bytesHash } = message ?? {};
  const { epochId, attempt } = view;
  if (
    nonce === undefined ||
    bytesHash === undefined ||
    commitment({ epochId, attempt, sender, label, nonce, bytesHash }) !== message?.commitment
  ) {
    throw new ClientError(
      'CEREMONY_FAILED',
      `The message ${label} of ${sender} does not open its commitment.`,
    );
  }
  return bytesHash;
}

function seedValues(view: EpochView): { sender: string; contribution: Uint8Array; sealingKey: Uint8Array }[] {
  return view.members.map((sender) => {
    const hash = checkedReveal(view, 'seed', sender);
    const value = view.messages.seed?.[sender]?.value;
    const contribution = Buffer.from(value?.contribution ?? '', 'base64');
    const sealingKey = Buffer.from(value?.sealingKey ?? '', 'base64');
    if (sha256Hex(contribution, sealingKey) !== hash) {
      throw new ClientError('CEREMONY_FAILED', `The seed of ${sender} is not the one that it committed to.`);
    }
    return { sender, contribution: new Uint8Array(contribution), sealingKey: new Uint8Array(sealingKey) };
  });
}

function agreedSeed(view: EpochView): Uint8Array {
  const seed = epochSeed(seedValues(view).map(({ sender, contribution }) => ({ sender, contribution })));
  if (view.seed !== base64(seed)) {
    throw new ClientError(
      'CEREMONY_FAILED',
      `The seed of epoch ${view.epochId} is not made of the contributions.`,
    );
  }
  return seed;
}

function forget({ ceremonies }: AgentContext, epochId: string): void {
  ceremonies.get(epochId)?.ceremony[Symbol.dispose]();
  ceremonies.delete(epochId);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** What the members of a ceremony have shown, each message checked again against its commitment. */
import type { CeremonyLabel, EpochView } from '@strokeshare/chaincode';
import { commitment, epochSeed, sha256Hex } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import type { AgentContext } from './context.js';

/** The messages of one label by member, each fetched by the hash that the ledger holds. */
export async function messagesOf(
  context: AgentContext,
  view: EpochView,
  label: CeremonyLabel,
): Promise<Map<string, Uint8Array>> {
  const entries = await Promise.all(
    view.members.map(async (member): Promise<[string, Uint8Array]> => {
      const hash = checkedReveal(view, label, member);
      return [
        member,
        await (member === context.mspId
          ? context.store.get(hash)
          : context.peers.get(member, hash, { kind: 'epoch', epochId: view.epochId })),
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

/** Every member's part of the seed, and its sealing key of this attempt. */
export function seedValues(
  view: EpochView,
): { sender: string; contribution: Uint8Array; sealingKey: Uint8Array }[] {
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

/** The attempt's seed, made here again of all contributions. */
export function agreedSeed(view: EpochView): Uint8Array {
  const seed = epochSeed(seedValues(view).map(({ sender, contribution }) => ({ sender, contribution })));
  if (view.seed !== Buffer.from(seed).toString('base64')) {
    throw new ClientError(
      'CEREMONY_FAILED',
      `The seed of epoch ${view.epochId} is not made of the contributions.`,
    );
  }
  return seed;
}

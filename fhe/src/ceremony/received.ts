/** What a party received in the dealings: its share of every member's secret, and its keys with the other holders. */
import type { Polynomial } from '../ring/ring.js';
import { pairKey, pairKeyLength } from '../release/zeroSharing.js';
import type { SealingKeyPair } from '../sealing/hpke.js';
import { openDealing } from './dealing.js';
import type { CheckedMessage, Roster } from './message.js';
import type { PartySecrets } from './secrets.js';

export interface Received {
  /** By dealer, over the data primes, in the party's ring. */
  readonly shares: readonly Polynomial[];
  /** By member; zeros for the party itself. */
  readonly pairKeys: readonly Uint8Array[];
  /** Hashes of the dealings that were opened. */
  readonly hashes: readonly string[];
}

export interface ReceiveInput {
  readonly roster: Roster;
  readonly index: number;
  /** In the members' order. */
  readonly dealings: readonly CheckedMessage[];
  readonly sealingKeys: SealingKeyPair;
  /** The salts that this party sealed to each member. */
  readonly ownSalts: readonly Uint8Array[];
  readonly secrets: PartySecrets;
  /** Throws if the party was erased meanwhile. */
  readonly requireOpen: () => void;
}

/**
 * Opens this party's share of every dealing.
 *
 * @throws FheError CEREMONY_MESSAGE_INVALID, naming the dealer; nothing stays behind
 */
export async function receive(input: ReceiveInput): Promise<Received> {
  const { roster, index, dealings, secrets, ownSalts } = input;
  const shares: Polynomial[] = [];
  const pairKeys: Uint8Array[] = [];
  try {
    for (const [i, dealing] of dealings.entries()) {
      const { words, salt } = await openDealing(roster, dealing, index, input.sealingKeys);
      try {
        input.requireOpen();
        shares.push(secrets.load(words));
        const own = { index, salt: ownSalts[i] as Uint8Array };
        pairKeys.push(
          dealing.index === index
            ? new Uint8Array(pairKeyLength)
            : pairKey(pairContext(roster), own, { index: dealing.index, salt }),
        );
      } finally {
        words.fill(0n);
        salt.fill(0);
      }
    }
    return { shares, pairKeys, hashes: dealings.map(({ hash }) => hash) };
  } catch (error) {
    for (const key of pairKeys) key.fill(0);
    if (!secrets.isDisposed) secrets.ring.release(...shares);
    throw error;
  }
}

/** What the common keys of an attempt's holders are bound to. */
export function pairContext({ set, epochId, attempt }: Roster) {
  return { parameterSetId: set.id, epochId, shareVersion: attempt };
}

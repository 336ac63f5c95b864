/**
 * One party of one attempt at a collective key: a state machine whose steps take and give messages, so that a
 * ledger, a file or a socket can carry them. The caller commits to every message before it shows one (commitment.ts).
 *
 * Public key: b_i = -(a s_i) + e_i. Relinearisation key (Mouchet, Troncoso-Pastoriza, Bossuat, Hubaux, "Multiparty
 * Homomorphic Encryption from Ring-Learning-with-Errors", PoPETs 2021), for each part j with gadget w_j(s) =
 * (special prime) s in limb j and 0 elsewhere:
 * round 1: h0_ij = -(u_i a_j) + w_j(s_i) + e, h1_ij = s_i a_j + e';
 * round 2: k_ij = s_i h0_j + e'' + (u_i - s_i) h1_j + e'''.
 *
 * Secrets live in one ring. u_i is erased after round 2, s_i and the sealing key after `finish`; disposing at any
 * time (an abort) erases everything. Parties are trusted to follow the protocol.
 */
import { randomFillSync } from 'node:crypto';
import { sha256Hex } from '../bytes/canonical.js';
import { bytesOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import { HolderKey } from '../release/holderKey.js';
import type { Polynomial } from '../ring/ring.js';
import { referencePolynomial } from '../ring/uniform.js';
import { generateSealingKeyPair, type SealingKeyPair } from '../sealing/hpke.js';
import { SecretSampler } from '../seal/sampler.js';
import {
  combinePublicKey,
  combineRelinKeys,
  publicKeyReference,
  relinReference,
  sumMessages,
} from './collectiveKeys.js';
import { openDealing, sealShares, shamirShares } from './dealing.js';
import { PartySecrets } from './secrets.js';
import { checkMessages, encodeMessage, type MessageLabel, requireRoster, type Roster } from './message.js';

export interface KeyCeremonyOptions extends Roster {
  /** This party's MSP id, one of the members. */
  readonly self: string;
}

type Messages = ReadonlyMap<string, Uint8Array>;

/** Steps that make messages, in their order. */
const steps = ['publicKeyShare', 'relinRound1', 'relinRound2', 'dealings', 'finish'] as const;
type Step = (typeof steps)[number];

export class KeyCeremony implements Disposable {
  private readonly secrets: PartySecrets;
  private readonly contribution = randomFillSync(new Uint8Array(32));
  private readonly sent = new Map<MessageLabel, string>();
  private mask: Polynomial | undefined;
  private seed: Uint8Array | undefined;
  private round1Hashes: readonly string[] | undefined;
  private next = 0;
  private disposed = false;

  private constructor(
    private readonly roster: Roster,
    private readonly self: string,
    private readonly index: number,
    sampler: SecretSampler,
    private readonly sealingKeys: SealingKeyPair,
  ) {
    this.secrets = new PartySecrets(roster.set, sampler);
  }

  /**
   * Starts an attempt: draws the ternary secret s_i and the sealing keys.
   *
   * @throws FheError ARGUMENT_INVALID, RUNTIME_UNSUPPORTED
   */
  static async create({ self, ...rest }: KeyCeremonyOptions): Promise<KeyCeremony> {
    const roster = requireRoster(rest);
    const index = roster.members.indexOf(self) + 1;
    if (index === 0) throw new FheError('ARGUMENT_INVALID', `${self} is no member of this ceremony.`);
    const sampler = await SecretSampler.acquire(roster.set);
    try {
      return new KeyCeremony(roster, self, index, sampler, await generateSealingKeyPair());
    } catch (error) {
      sampler[Symbol.dispose]();
      throw error;
    }
  }

  /** X-Wing public key of this attempt, published with the contribution to the seed. */
  get sealingPublicKey(): Uint8Array {
    return this.sealingKeys.publicKey.slice();
  }

  /** This party's 32 bytes of the seed; commit to them before showing them. */
  seedContribution(): Uint8Array {
    this.requireOpen();
    return this.contribution.slice();
  }

  /**
   * b_i, under the seed that all parties fixed together ({@link epochSeed}).
   *
   * @throws FheError CEREMONY_STEP_INVALID, ARGUMENT_INVALID
   */
  publicKeyShare(seed: Uint8Array): Uint8Array {
    this.requireStep('publicKeyShare');
    if (seed.length !== 32) throw new FheError('ARGUMENT_INVALID', 'A seed has 32 bytes.');
    this.seed = new Uint8Array(seed);
    const { ring, secret } = this.secrets;
    const share = this.secrets.smallError();
    this.withReference(publicKeyReference, (a) => {
      const product = ring.zero();
      ring.multiply(product, a, secret);
      ring.subtract(share, share, product);
      ring.release(product);
    });
    return this.message('publicKey', [share], 'publicKeyShare');
  }

  /**
   * (h0_ij, h1_ij) for every part j.
   *
   * @throws FheError CEREMONY_STEP_INVALID
   */
  relinRound1(): Uint8Array {
    this.requireStep('relinRound1');
    const { ring, secret } = this.secrets;
    const { primes, dataPrimes } = this.roster.set;
    const special = primes[dataPrimes] as bigint;
    const mask = (this.mask = this.secrets.ternary());
    const payload: Polynomial[] = [];
    for (let j = 0; j < dataPrimes; j++) {
      const h0 = this.secrets.smallError();
      const h1 = this.secrets.smallError();
      this.withReference(relinReference(j), (a) => {
        const product = ring.zero();
        ring.multiply(product, a, mask);
        ring.subtract(h0, h0, product);
        ring.release(product);
        ring.multiplyAdd(h1, a, secret);
      });
      ring.scaleAddLimb(h0, secret, special % (primes[j] as bigint), j);
      payload.push(h0, h1);
    }
    return this.message('relin1', payload, 'relinRound1');
  }

  /**
   * The collective public key from all members' publicKey messages, this party's included.
   *
   * @returns a publicKey blob
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the sender)
   */
  combinePublicKey(messages: Messages): Uint8Array {
    this.requireOpen();
    const key = combinePublicKey(this.roster, this.requireSeed(), messages);
    this.requireOwn('publicKey', messages);
    return key;
  }

  /**
   * k_ij for every part j, from the first round of all members. Erases u_i.
   *
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the sender)
   */
  relinRound2(round1: Messages): Uint8Array {
    this.requireStep('relinRound2');
    const { ring, secret } = this.secrets;
    const { sums, hashes } = sumMessages(this.roster, 'relin1', round1);
    this.requireOwn('relin1', round1);
    this.round1Hashes = hashes;
    const difference = this.requireMask();
    ring.subtract(difference, difference, secret);
    const payload: Polynomial[] = [];
    for (let j = 0; j < this.roster.set.dataPrimes; j++) {
      const k = this.secrets.smallError();
      this.secrets.addSmallError(k);
      const h0 = ring.load(sums[2 * j] as BigUint64Array);
      const h1 = ring.load(sums[2 * j + 1] as BigUint64Array);
      ring.multiplyAdd(k, secret, h0);
      ring.multiplyAdd(k, difference, h1);
      ring.release(h0, h1);
      payload.push(k);
    }
    ring.release(difference);
    this.mask = undefined;
    return this.message('relin2', payload, 'relinRound2');
  }

  /**
   * The collective relinearisation key from both rounds.
   *
   * @returns a relinKeys blob
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the sender)
   */
  combineRelinKeys(round1: Messages, round2: Messages): Uint8Array {
    this.requireOpen();
    const hashes = this.round1Hashes;
    if (!hashes)
      throw new FheError('CEREMONY_STEP_INVALID', 'relinRound2 comes before the relinearisation key.');
    const key = combineRelinKeys(this.roster, round1, round2);
    this.requireOwn('relin2', round2);
    for (const [i, sender] of this.roster.members.entries()) {
      if (sha256Hex(round1.get(sender) as Uint8Array) !== hashes[i]) {
        throw new FheError(
          'CEREMONY_MESSAGE_INVALID',
          `The relin1 message of ${sender} changed after round 2.`,
          {
            sender,
          },
        );
      }
    }
    return key;
  }

  /**
   * Shamir shares of s_i, one sealed to each member's key.
   *
   * @param sealingKeys every member's {@link sealingPublicKey}
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_INVALID (naming the member whose key is wrong)
   */
  async dealings(sealingKeys: Messages): Promise<Uint8Array> {
    this.requireStep('dealings');
    const { members, threshold } = this.roster;
    if (Buffer.compare(sealingKeys.get(this.self) ?? new Uint8Array(), this.sealingKeys.publicKey) !== 0) {
      throw this.changed(this.self, 'sealing key');
    }
    this.next++;
    try {
      const shares = shamirShares(this.secrets.ring, this.secrets.secret, threshold, members.length);
      const payload = await sealShares(this.roster, this.self, shares, sealingKeys);
      this.requireOpen();
      return this.remember('dealing', encodeMessage(this.roster, 'dealing', this.index, payload));
    } catch (error) {
      this.next--;
      throw error;
    }
  }

  /**
   * Opens this party's share of every dealing and adds them up to its key; then erases s_i and all else.
   *
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the dealer);
   *   after an error the ceremony can be asked again with other messages, or disposed of
   */
  async finish(dealings: Messages): Promise<HolderKey> {
    this.requireStep('finish');
    const { set, epochId, attempt, members, threshold } = this.roster;
    const checked = checkMessages(this.roster, 'dealing', dealings);
    this.requireOwn('dealing', dealings);
    this.next++;
    const sum = this.secrets.ring.zero(set.dataPrimes);
    try {
      for (const dealing of checked) {
        const words = await openDealing(this.roster, dealing, this.index, this.sealingKeys);
        this.requireOpen();
        const share = this.secrets.load(words);
        this.secrets.ring.add(sum, sum, share);
        this.secrets.ring.release(share);
      }
      const info = {
        set,
        epochId,
        index: this.index,
        threshold,
        members: members.length,
        shareVersion: attempt,
      };
      const key = HolderKey.fromWords(info, this.secrets.ring.read(sum));
      this.erase();
      return key;
    } catch (error) {
      this.next--;
      if (!this.disposed) this.secrets.ring.release(sum);
      throw error;
    }
  }

  /** Erases every secret; at any time, as an abort. */
  [Symbol.dispose](): void {
    if (this.disposed) return;
    this.disposed = true;
    this.contribution.fill(0);
    this.erase();
  }

  private erase(): void {
    this.secrets[Symbol.dispose]();
    this.sealingKeys.privateKey.fill(0);
    this.mask = undefined;
  }

  private requireOpen(): void {
    if (this.disposed) throw new FheError('DISPOSED', 'This ceremony has been erased.');
  }

  private requireStep(step: Step): void {
    this.requireOpen();
    if (steps[this.next] !== step) {
      const due = steps[this.next];
      throw new FheError(
        'CEREMONY_STEP_INVALID',
        due
          ? `${step} is not due; the next step is ${due}.`
          : `${step} is not due; the ceremony has finished.`,
      );
    }
  }

  private requireSeed(): Uint8Array {
    if (!this.seed) throw new FheError('CEREMONY_STEP_INVALID', 'publicKeyShare(seed) comes first.');
    return this.seed;
  }

  private requireMask(): Polynomial {
    if (!this.mask) throw new FheError('CEREMONY_STEP_INVALID', 'relinRound1 comes first.');
    return this.mask;
  }

  /** This party's own message must be among the others' as it was sent. */
  private requireOwn(label: MessageLabel, messages: Messages): void {
    const own = messages.get(this.self);
    if (!own || sha256Hex(own) !== this.sent.get(label)) throw this.changed(this.self, `${label} message`);
  }

  private changed(sender: string, what: string): FheError {
    return new FheError('CEREMONY_MESSAGE_INVALID', `The ${what} of ${sender} is not the one that it sent.`, {
      sender,
    });
  }

  private remember(label: MessageLabel, blob: Uint8Array): Uint8Array {
    this.sent.set(label, sha256Hex(blob));
    return blob;
  }

  /** Reads out polynomials as a message, erases them and moves to the next step. */
  private message(label: MessageLabel, payload: readonly Polynomial[], step: Step): Uint8Array {
    const words = payload.map((polynomial) => bytesOf(this.secrets.ring.read(polynomial)));
    this.secrets.ring.release(...payload);
    this.next = steps.indexOf(step) + 1;
    return this.remember(label, encodeMessage(this.roster, label, this.index, words));
  }

  private withReference(label: string, work: (a: Polynomial) => void): void {
    const a = this.secrets.ring.load(
      referencePolynomial(this.roster.set, this.requireSeed(), this.roster, label),
    );
    work(a);
    this.secrets.ring.release(a);
  }
}

/**
 * One party of one attempt at a collective key: a state machine whose steps take and give messages, so that a
 * ledger, a file or a socket can carry them. The caller commits to every message before it shows one (commitment.ts);
 * keyShares.ts has the arithmetic.
 *
 * Secrets live in one ring. u_i is erased after round 2, s_i and the sealing key after `finish`, which ends the dealing
 * check; disposing at any time (an abort) erases everything. Parties are trusted to follow the protocol.
 */
import { randomFillSync } from 'node:crypto';
import { bytesOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import { HolderKey } from '../release/holderKey.js';
import type { Polynomial } from '../ring/ring.js';
import { referencePolynomial } from '../ring/uniform.js';
import { generateSealingKeyPair, type SealingKeyPair } from '../sealing/hpke.js';
import { SecretSampler } from '../seal/sampler.js';
import { combinePublicKey, combineRelinKeys, sumMessages } from './collectiveKeys.js';
import { sealShares, shamirShares } from './dealing.js';
import { challengeOf, checkPayload, requireSoundDealings } from './dealingCheck.js';
import {
  publicKeyPolynomial,
  relin1Polynomials,
  relin2Polynomials,
  type WithReference,
} from './keyShares.js';
import { CeremonySteps, type Messages, type Step } from './party.js';
import { receive, type Received } from './received.js';
import { PartySecrets } from './secrets.js';
import { checkMessages, encodeMessage, type MessageLabel, requireRoster, type Roster } from './message.js';

export interface KeyCeremonyOptions extends Roster {
  /** This party's MSP id, one of the members. */
  readonly self: string;
}

/** What the dealing check needs beside the dealings. */
export interface DealingCheckMessages {
  /** The dealingCheck message of every member. */
  readonly checks: Messages;
  /** The publicKey message of every member. */
  readonly publicKeys: Messages;
}

export class KeyCeremony implements Disposable {
  private readonly secrets: PartySecrets;
  private readonly steps: CeremonySteps;
  private readonly contribution = randomFillSync(new Uint8Array(32));
  private mask: Polynomial | undefined;
  private seed: Uint8Array | undefined;
  private round1Hashes: readonly string[] | undefined;
  private salts: readonly Uint8Array[] = [];
  private received: Received | undefined;

  private constructor(
    private readonly roster: Roster,
    private readonly index: number,
    self: string,
    sampler: SecretSampler,
    private readonly sealingKeys: SealingKeyPair,
  ) {
    this.steps = new CeremonySteps(roster, self);
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
      return new KeyCeremony(roster, index, self, sampler, await generateSealingKeyPair());
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
    this.steps.requireOpen();
    return this.contribution.slice();
  }

  /**
   * b_i, under the seed that all parties fixed together ({@link epochSeed}).
   *
   * @throws FheError CEREMONY_STEP_INVALID, ARGUMENT_INVALID
   */
  publicKeyShare(seed: Uint8Array): Uint8Array {
    this.steps.require('publicKeyShare');
    if (seed.length !== 32) throw new FheError('ARGUMENT_INVALID', 'A seed has 32 bytes.');
    this.seed = new Uint8Array(seed);
    const share = publicKeyPolynomial(this.secrets, this.withReference);
    return this.message('publicKey', [share], 'publicKeyShare');
  }

  /**
   * (h0_ij, h1_ij) for every part j.
   *
   * @throws FheError CEREMONY_STEP_INVALID
   */
  relinRound1(): Uint8Array {
    this.steps.require('relinRound1');
    this.mask = this.secrets.ternary();
    const payload = relin1Polynomials(this.roster.set, this.secrets, this.mask, this.withReference);
    return this.message('relin1', payload, 'relinRound1');
  }

  /**
   * The collective public key from all members' publicKey messages, this party's included.
   *
   * @returns a publicKey blob
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the sender)
   */
  combinePublicKey(messages: Messages): Uint8Array {
    this.steps.requireOpen();
    const key = combinePublicKey(this.roster, this.requireSeed(), messages);
    this.steps.requireOwn('publicKey', messages);
    return key;
  }

  /**
   * k_ij for every part j, from the first round of all members. Erases u_i.
   *
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the sender)
   */
  relinRound2(round1: Messages): Uint8Array {
    this.steps.require('relinRound2');
    const { sums, hashes } = sumMessages(this.roster, 'relin1', round1);
    this.steps.requireOwn('relin1', round1);
    this.round1Hashes = hashes;
    const payload = relin2Polynomials(this.secrets, this.requireMask(), sums);
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
    this.steps.requireOpen();
    const hashes = this.round1Hashes;
    if (!hashes)
      throw new FheError('CEREMONY_STEP_INVALID', 'relinRound2 comes before the relinearisation key.');
    const key = combineRelinKeys(this.roster, round1, round2);
    this.steps.requireOwn('relin2', round2);
    this.steps.requireUnchanged('relin1', round1, hashes);
    return key;
  }

  /**
   * Shamir shares of s_i, one sealed to each member's key.
   *
   * @param sealingKeys every member's {@link sealingPublicKey}
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_INVALID (naming the member whose key is wrong)
   */
  async dealings(sealingKeys: Messages): Promise<Uint8Array> {
    this.steps.require('dealings');
    const { members, threshold } = this.roster;
    const own = sealingKeys.get(this.steps.self) ?? new Uint8Array();
    if (Buffer.compare(own, this.sealingKeys.publicKey) !== 0) throw this.steps.changed('sealing key');
    this.steps.complete('dealings');
    try {
      const shares = shamirShares(this.secrets.ring, this.secrets.secret, threshold, members.length);
      const { payload, salts } = await sealShares(this.roster, this.steps.self, shares, sealingKeys);
      this.steps.requireOpen();
      this.salts = salts;
      return this.steps.remember('dealing', encodeMessage(this.roster, 'dealing', this.index, payload));
    } catch (error) {
      this.steps.undo('dealings');
      throw error;
    }
  }

  /**
   * Opens this party's share of every dealing and makes its part of the dealing check. The step may be left out, by
   * all members alike; who has taken it must show everybody's to {@link finish}.
   *
   * @throws FheError CEREMONY_STEP_INVALID, CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the dealer)
   */
  async dealingCheck(dealings: Messages): Promise<Uint8Array> {
    this.steps.require('finish');
    if (this.received) throw new FheError('CEREMONY_STEP_INVALID', 'The dealing check has been made.');
    const received = await this.receive(dealings);
    const challenge = challengeOf(this.roster, this.requireSeed(), received.hashes);
    const { roster, index } = this;
    const { shares, pairKeys } = received;
    const payload = checkPayload(this.secrets.ring, { roster, index, challenge, shares, pairKeys });
    this.received = received;
    return this.steps.remember('dealingCheck', encodeMessage(roster, 'dealingCheck', index, payload));
  }

  /**
   * Adds up this party's share of every dealing to its key; then erases s_i and all else.
   *
   * @param check all members' check messages, where the check is made
   * @throws FheError DEALINGS_DISPUTED if the check fails: then {@link disclose}; CEREMONY_STEP_INVALID,
   *   CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID (naming the dealer); after an error the ceremony can be asked
   *   again with other messages, or disposed of
   */
  async finish(dealings: Messages, check?: DealingCheckMessages): Promise<HolderKey> {
    this.steps.require('finish');
    if ((check === undefined) !== (this.received === undefined)) {
      throw new FheError('CEREMONY_STEP_INVALID', 'The dealing check is made by all members or by none.');
    }
    if (check) this.requireCheck(dealings, check);
    const received = this.received ?? (await this.receive(dealings));
    const { set, epochId, attempt: shareVersion, members, threshold } = this.roster;
    const info = { set, epochId, index: this.index, threshold, members: members.length, shareVersion };
    const sum = this.secrets.ring.zero(set.dataPrimes);
    for (const share of received.shares) this.secrets.ring.add(sum, sum, share);
    const key = HolderKey.fromWords(info, this.secrets.ring.read(sum), received.pairKeys);
    this.steps.complete('finish');
    this.erase();
    return key;
  }

  /**
   * Gives up the attempt after disputed dealings, and shows the sealing key, so that everybody can judge
   * ({@link judgeDealings}). Everything else is erased.
   *
   * @throws FheError CEREMONY_STEP_INVALID before the dealings were made or after the ceremony has finished
   */
  disclose(): Uint8Array {
    this.steps.require('finish');
    const key = this.sealingKeys.privateKey;
    const message = encodeMessage(this.roster, 'disclosure', this.index, [key]);
    this[Symbol.dispose]();
    return message;
  }

  /** Erases every secret; at any time, as an abort. */
  [Symbol.dispose](): void {
    if (this.steps.isClosed) return;
    this.steps.close();
    this.contribution.fill(0);
    for (const key of this.received?.pairKeys ?? []) key.fill(0);
    this.erase();
  }

  private erase(): void {
    this.secrets[Symbol.dispose]();
    this.sealingKeys.privateKey.fill(0);
    for (const salt of this.salts) salt.fill(0);
    this.mask = undefined;
    this.received = undefined;
  }

  private async receive(dealings: Messages): Promise<Received> {
    const checked = checkMessages(this.roster, 'dealing', dealings);
    this.steps.requireOwn('dealing', dealings);
    this.steps.complete('finish');
    try {
      return await receive({
        roster: this.roster,
        index: this.index,
        dealings: checked,
        sealingKeys: this.sealingKeys,
        ownSalts: this.salts,
        secrets: this.secrets,
        requireOpen: () => {
          this.steps.requireOpen();
        },
      });
    } finally {
      this.steps.undo('finish');
    }
  }

  private requireCheck(dealings: Messages, { checks, publicKeys }: DealingCheckMessages): void {
    requireSoundDealings(this.roster, this.requireSeed(), { dealings, checks, publicKeys });
    this.steps.requireUnchanged('dealing', dealings, this.received?.hashes ?? []);
    this.steps.requireOwn('dealingCheck', checks);
    this.steps.requireOwn('publicKey', publicKeys);
  }

  private requireSeed(): Uint8Array {
    if (!this.seed) throw new FheError('CEREMONY_STEP_INVALID', 'publicKeyShare(seed) comes first.');
    return this.seed;
  }

  private requireMask(): Polynomial {
    if (!this.mask) throw new FheError('CEREMONY_STEP_INVALID', 'relinRound1 comes first.');
    return this.mask;
  }

  /** Reads out polynomials as a message, erases them and moves to the next step. */
  private message(label: MessageLabel, payload: readonly Polynomial[], step: Step): Uint8Array {
    const words = payload.map((polynomial) => bytesOf(this.secrets.ring.read(polynomial)));
    this.secrets.ring.release(...payload);
    this.steps.complete(step);
    return this.steps.remember(label, encodeMessage(this.roster, label, this.index, words));
  }

  private readonly withReference: WithReference = (label, work) => {
    const a = this.secrets.ring.load(
      referencePolynomial(this.roster.set, this.requireSeed(), this.roster, label),
    );
    work(a);
    this.secrets.ring.release(a);
  };
}

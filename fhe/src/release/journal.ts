/**
 * What a holder has answered in an epoch: the counter of coefficients for each committee, and every share that it
 * gave. A pure state fed by entries; the holder appends each entry to durable storage before it goes on, and restores
 * the journal from them.
 *
 * - A coefficient is charged before its share is computed, and stays charged if that fails.
 * - A share is computed once; whoever asks again gets the stored bytes.
 * - One coefficient of one c1 is answered to a committee on one set of terms: the same c1 at another level or with
 *   other deviations is refused, across restarts. A c1 keeps its first limb whatever the level, so that limb names it.
 * - The flooding noise is worth 2^tauLog2 coefficients for each committee of an epoch (a packed cell: two).
 */
import { z } from 'zod';
import { canonicalJson, sha256Hex } from '../bytes/canonical.js';
import { parseCiphertext } from '../bytes/seal.js';
import { bytesOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { HolderKey } from './holderKey.js';
import { releaseShare, type ReleaseRequest, requireCommittee } from './share.js';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const entrySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('epoch'),
    version: z.literal(1),
    parameterSetId: hash,
    epochId: z.string(),
    index: z.int(),
    shareVersion: z.int(),
  }),
  z.strictObject({
    kind: z.literal('charge'),
    id: hash,
    committee: z.array(z.int().min(1).max(32)).min(1).max(32),
    terms: hash,
  }),
  z.strictObject({ kind: z.literal('share'), id: hash, share: z.base64() }),
]);
/** One line of a journal: plain JSON. */
export type ReleaseEntry = z.infer<typeof entrySchema>;

interface Answer {
  readonly terms: string;
  share?: Uint8Array;
}

/** A request's name and the terms that are fixed with its first asking. */
export interface ReleaseIdentity {
  /** Hex; the same for one coefficient of one c1 and committee, whatever the level and the deviations. */
  readonly id: string;
  readonly terms: string;
}

/** @throws FheError CIPHERTEXT_MALFORMED */
export function releaseIdentity(key: HolderKey, request: ReleaseRequest): ReleaseIdentity {
  const { committee, sigma, coefficient = 0, privacySigma } = request;
  const { words, size, primes } = parseCiphertext(request.ciphertext, key.set);
  const c1 = words.subarray(words.length / size, (2 * words.length) / size);
  const source = sha256Hex(bytesOf(c1.subarray(0, key.set.polyModulusDegree)));
  const terms = { c1: sha256Hex(bytesOf(c1)), primes, sigma: String(sigma) };
  return {
    id: sha256Hex(canonicalJson({ committee, coefficient, source })),
    terms: sha256Hex(
      canonicalJson({ ...terms, privacySigma: privacySigma === undefined ? null : String(privacySigma) }),
    ),
  };
}

export class ReleaseJournal {
  private readonly charged = new Map<string, number>();
  private readonly answers = new Map<string, Answer>();

  private constructor(private readonly tau: number) {}

  /** The first entry of a key's journal; the holder stores it when it stores the key. */
  static opening({ set, epochId, index, shareVersion }: HolderKey): ReleaseEntry {
    return { kind: 'epoch', version: 1, parameterSetId: set.id, epochId, index, shareVersion };
  }

  /**
   * Restores the journal of a key from its entries, the opening one first.
   *
   * @throws FheError JOURNAL_MALFORMED, EPOCH_MISMATCH, PARAMETER_SET_MISMATCH
   */
  static restore(key: HolderKey, entries: Iterable<unknown>): ReleaseJournal {
    const journal = new ReleaseJournal(2 ** key.set.smudging.tauLog2);
    let isOpen = false;
    for (const line of entries) {
      const parsed = entrySchema.safeParse(line);
      if (!parsed.success || (parsed.data.kind === 'epoch') === isOpen) {
        throw new FheError('JOURNAL_MALFORMED', 'An entry of the release journal has no known form.', {
          cause: parsed.error,
        });
      }
      if (parsed.data.kind === 'epoch') requireOpening(key, parsed.data);
      else journal.apply(parsed.data);
      isOpen = true;
    }
    if (!isOpen) throw new FheError('JOURNAL_MALFORMED', 'The release journal has no opening entry.');
    return journal;
  }

  /** Coefficients that a committee has been charged for. */
  coefficientsOf(committee: readonly number[]): number {
    return this.charged.get(committee.join()) ?? 0;
  }

  /** Committees that have been charged at all: the statistical distances of their releases add up. */
  get committees(): number {
    return this.charged.size;
  }

  /**
   * Charges a request, unless that has been done.
   *
   * @returns the entry to be stored before anything else, and the share if there is one already
   * @throws FheError COMMITTEE_INVALID, CIPHERTEXT_MALFORMED, RELEASE_REFUSED for other terms than the first time,
   *   RELEASE_BUDGET_EXHAUSTED
   */
  charge(key: HolderKey, request: ReleaseRequest): { entry?: ReleaseEntry; share?: Uint8Array; id: string } {
    requireCommittee(key, request.committee);
    const { id, terms } = releaseIdentity(key, request);
    const known = this.answers.get(id);
    if (known) {
      if (known.terms !== terms) {
        throw new FheError(
          'RELEASE_REFUSED',
          'This coefficient was asked for before, at another level or with other noise.',
        );
      }
      return known.share ? { id, share: known.share.slice() } : { id };
    }
    if (this.coefficientsOf(request.committee) >= this.tau) {
      throw new FheError(
        'RELEASE_BUDGET_EXHAUSTED',
        'The flooding noise of this epoch is used up for this committee.',
      );
    }
    const entry: ReleaseEntry = { kind: 'charge', id, committee: [...request.committee], terms };
    this.apply(entry);
    return { id, entry };
  }

  /** Keeps a share; returns the entry to be stored before the share is shown. */
  record(id: string, share: Uint8Array): ReleaseEntry {
    const entry: ReleaseEntry = { kind: 'share', id, share: Buffer.from(share).toString('base64') };
    this.apply(entry);
    return entry;
  }

  private apply(entry: Exclude<ReleaseEntry, { kind: 'epoch' }>): void {
    const known = this.answers.get(entry.id);
    if (entry.kind === 'charge' && !known) {
      this.answers.set(entry.id, { terms: entry.terms });
      const committee = entry.committee.join();
      this.charged.set(committee, (this.charged.get(committee) ?? 0) + 1);
    } else if (entry.kind === 'share' && known && !known.share) {
      known.share = new Uint8Array(Buffer.from(entry.share, 'base64'));
    } else {
      throw new FheError('JOURNAL_MALFORMED', 'The entries of the release journal do not follow each other.');
    }
  }
}

function requireOpening(key: HolderKey, entry: Extract<ReleaseEntry, { kind: 'epoch' }>): void {
  if (entry.parameterSetId !== key.set.id) {
    throw new FheError('PARAMETER_SET_MISMATCH', 'The release journal belongs to another parameter set.');
  }
  const { epochId, index, shareVersion } = key;
  if (entry.epochId !== epochId || entry.index !== index || entry.shareVersion !== shareVersion) {
    throw new FheError('EPOCH_MISMATCH', "The release journal is not that of this holder's key.");
  }
}

/**
 * Answers a request by the rules above.
 *
 * @param persist appends an entry to durable storage, in the order of its calls; the share is returned after its own
 *   entry is stored
 * @throws FheError those of {@link ReleaseJournal.charge} and {@link releaseShare}
 */
export async function answerRelease(
  key: HolderKey,
  journal: ReleaseJournal,
  request: ReleaseRequest,
  persist: (entry: ReleaseEntry) => Promise<void>,
): Promise<Uint8Array> {
  const { id, entry, share: stored } = journal.charge(key, request);
  if (stored) return stored;
  if (entry) await persist(entry);
  const share = releaseShare(key, request);
  const known = journal.charge(key, request).share;
  if (known) return known;
  await persist(journal.record(id, share));
  return share;
}

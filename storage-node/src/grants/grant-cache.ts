import { createHash } from 'node:crypto';
import { StorageError } from '../errors.js';

/** Somebody wants to read a blob, and says by what right. */
export interface GrantQuestion {
  mspId: string;
  subject: string;
  blob: string;
  /** The claim as the ledger's contract defines it. */
  claim: unknown;
}

/** Asks the ledger. Rejects where the ledger cannot be reached. */
export interface GrantSource {
  check(question: GrantQuestion, signal: AbortSignal): Promise<boolean>;
}

/** Bounds of a {@link GrantCache}, in milliseconds. */
export interface GrantCacheOptions {
  /** A grant is believed for so long after the ledger was asked. */
  liveMs?: number;
  /** A refusal is. */
  refusedMs?: number;
  /** The ledger answers within this time, or it counts as unreachable. */
  timeoutMs?: number;
  /** Answers that are remembered. */
  maximum?: number;
  /** A clock that never goes back. */
  now?: () => number;
}

/** The longest that a grant may be believed without asking again. */
export const GRANT_LIVE_MS = 3_000;

/**
 * The ledger's answers, believed for a few seconds from the moment of the question, by a clock that does not follow
 * the wall. Questions that are being asked already are not asked twice. Without the ledger the answer is no answer.
 */
export class GrantCache {
  private readonly answers = new Map<string, { granted: boolean; until: number }>();
  private readonly asking = new Map<string, Promise<boolean>>();
  private readonly liveMs: number;
  private readonly refusedMs: number;
  private readonly timeoutMs: number;
  private readonly maximum: number;
  private readonly now: () => number;

  constructor(
    private readonly source: GrantSource,
    options: GrantCacheOptions = {},
  ) {
    this.liveMs = Math.min(options.liveMs ?? GRANT_LIVE_MS, GRANT_LIVE_MS);
    this.refusedMs = Math.min(options.refusedMs ?? 500, this.liveMs);
    this.timeoutMs = options.timeoutMs ?? 5_000;
    this.maximum = options.maximum ?? 20_000;
    this.now = options.now ?? (() => performance.now());
  }

  /** For how long an answer holds. */
  get validMs(): number {
    return this.liveMs;
  }

  /**
   * Whether the ledger grants it.
   *
   * @throws StorageError `UNAVAILABLE` when the ledger does not answer.
   */
  async allows(question: GrantQuestion): Promise<boolean> {
    const key = createHash('sha256')
      .update(JSON.stringify([question.mspId, question.subject, question.blob, question.claim]))
      .digest('base64');
    const known = this.answers.get(key);
    if (known && known.until > this.now()) return known.granted;
    this.answers.delete(key);
    let asked = this.asking.get(key);
    if (!asked) {
      asked = this.ask(key, question).finally(() => this.asking.delete(key));
      this.asking.set(key, asked);
    }
    return asked;
  }

  private async ask(key: string, question: GrantQuestion): Promise<boolean> {
    const asked = this.now();
    let granted: boolean;
    try {
      granted = await this.source.check(question, AbortSignal.timeout(this.timeoutMs));
    } catch (cause) {
      throw new StorageError('UNAVAILABLE', 'The ledger does not answer, so nothing is given out.', {
        cause,
      });
    }
    if (this.answers.size >= this.maximum) {
      const [oldest] = this.answers.keys();
      if (oldest !== undefined) this.answers.delete(oldest);
    }
    this.answers.set(key, { granted, until: asked + (granted ? this.liveMs : this.refusedMs) });
    return granted;
  }
}

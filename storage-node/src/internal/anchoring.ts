import { setTimeout as sleep } from 'node:timers/promises';
import { clip } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';
import type { PrivateLedger } from './private-ledger.js';

/** Notes the head of a journal on the private channel: at intervals, where anything was added, and at the end. */
export class Anchoring {
  #anchored = 0;

  constructor(
    private readonly journal: Journal,
    private readonly ledger: Pick<PrivateLedger, 'anchor'>,
    private readonly log: (entry: Record<string, unknown>) => void,
  ) {}

  /** Anchors the head where it is a new one; says whether it is anchored. */
  async anchorNow(): Promise<boolean> {
    const { sequence, hash } = this.journal.head;
    if (sequence === this.#anchored) return true;
    try {
      await this.ledger.anchor({ sequence, head: hash });
      this.#anchored = sequence;
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.log({ step: 'anchor', sequence, error: clip(message) });
      return false;
    }
  }

  /** Goes on until the signal is aborted. */
  async run(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.anchorNow();
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectStore } from './blob-store.js';
import { checkBlob } from './file-blob-store.js';
import type { Journal } from './journal/journal.js';

/** A set of objects that is walked again and again. */
export interface Scrubbed {
  store: Pick<ObjectStore, 'open'>;
  /** Objects that must be there. */
  expected: () => Iterable<string>;
}

/**
 * Reads every object that must be there and compares it with its name. What is damaged or missing is noted once and
 * stays in {@link damaged} until it is whole again.
 */
export class Scrub {
  readonly damaged = new Set<string>();

  constructor(
    private readonly sets: readonly Scrubbed[],
    private readonly journal: Pick<Journal, 'append'>,
  ) {}

  /** Looks at everything once. */
  async once(signal?: AbortSignal): Promise<void> {
    for (const { store, expected } of this.sets) {
      for (const hash of [...expected()]) {
        if (signal?.aborted) return;
        await this.look(store, hash);
      }
    }
  }

  /** Looks at everything, waits, and begins again, until the signal is aborted. */
  async run(pauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      await this.once(signal).catch(() => undefined);
    }
  }

  /** An object is whole again, or was deleted. */
  settle(hash: string): void {
    this.damaged.delete(hash);
  }

  private async look(store: Scrubbed['store'], hash: string): Promise<void> {
    const state = await checkBlob(store, hash);
    if (state === 'intact') this.damaged.delete(hash);
    else if (!this.damaged.has(hash)) {
      this.damaged.add(hash);
      await this.journal.append({ event: 'damaged', blob: hash, detail: state });
    }
  }
}

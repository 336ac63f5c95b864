import { clip } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';

const INTERVAL_MS = 10_000;
const MAXIMUM_NAMES = 1_000;

/**
 * Counts what comes too often to be noted one by one, and notes the counts at intervals: a flood costs the journal a
 * line per source and interval, and no source is left out.
 */
export class Tally {
  private readonly counts = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly journal: Pick<Journal, 'append'>) {
    this.timer = setInterval(() => void this.flush(), INTERVAL_MS).unref();
  }

  add(who: string, what: string): void {
    const key = this.counts.size < MAXIMUM_NAMES ? `${who}: ${what}` : 'others';
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  /** Notes what was counted since the last time. */
  async flush(): Promise<void> {
    const counts = [...this.counts];
    this.counts.clear();
    await Promise.all(
      counts.map(([key, count]) =>
        this.journal
          .append({ event: 'limited', detail: clip(`${count} times ${key}`) })
          .catch(() => undefined),
      ),
    );
  }

  /** Notes the last counts and counts no more. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }
}

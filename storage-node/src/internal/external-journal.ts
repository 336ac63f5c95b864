import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ZoneClient } from '../client/zone-client.js';
import { StorageError } from '../errors.js';
import { nodeFileSystem } from '../file-system.js';
import { clip, GENESIS, parseLine, type JournalHead } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';
import { readLines } from '../journal/lines.js';

const page = z.strictObject({
  lines: z.array(z.string().max(16_384)).max(1_000),
  head: z.strictObject({ sequence: z.number().int().nonnegative(), hash: z.string() }),
  closing: z.boolean(),
});

/**
 * Reads the external zone's journal and keeps a copy inside: what was read once, a zone that is taken over cannot
 * unsay. The heads stand in the internal journal, and so on the ledger.
 */
export class ExternalJournal {
  #refused = false;

  private constructor(
    private readonly path: string,
    private readonly client: Pick<ZoneClient, 'json'>,
    private readonly journal: Journal,
    private head: JournalHead,
  ) {}

  static async open(
    path: string,
    client: Pick<ZoneClient, 'json'>,
    journal: Journal,
  ): Promise<ExternalJournal> {
    let head = GENESIS;
    let end = 0;
    for await (const { text, offset, whole } of readLines(nodeFileSystem, path)) {
      const line = whole ? parseLine(text) : undefined;
      if (!line) break;
      head = { sequence: line.entry.sequence, hash: line.hash };
      end = offset + Buffer.byteLength(text) + 1;
    }
    const file = await nodeFileSystem.openAppend(path);
    // A line that a crash cut off is read again.
    if (file.size > end) await file.truncate(end);
    await file.close();
    return new ExternalJournal(path, client, journal, head);
  }

  /** The last entry that was copied. */
  get copied(): JournalHead {
    return this.head;
  }

  /**
   * Copies one page.
   *
   * @param patient - waits a little where there is nothing new.
   * @returns whether the external zone is ending.
   * @throws StorageError `UNAVAILABLE`, `CORRUPT` when the entries do not continue the copy.
   */
  async copyPage(signal?: AbortSignal, patient = true): Promise<boolean> {
    const path = `/v1/journal?after=${this.head.sequence}${patient ? '' : '&wait=0'}`;
    const answer = await this.client.json({ method: 'GET', path, ...(signal && { signal }) });
    const parsed = page.safeParse(answer);
    if (!parsed.success) throw new StorageError('CORRUPT', 'The external zone answers with no journal.');
    const { lines, closing } = parsed.data;
    let { head } = this;
    for (const text of lines) {
      const line = parseLine(text);
      if (!line?.sound || line.entry.previous !== head.hash || line.entry.sequence !== head.sequence + 1) {
        await this.refuse(head);
        throw new StorageError('CORRUPT', 'The journal of the external zone does not continue its copy.');
      }
      head = { sequence: line.entry.sequence, hash: line.hash };
    }
    if (lines.length > 0) {
      const file = await nodeFileSystem.openAppend(this.path);
      try {
        await file.append(Buffer.from(lines.map((line) => `${line}\n`).join('')));
        await file.sync();
      } finally {
        await file.close();
      }
      this.head = head;
      await this.journal.append({ event: 'external', detail: `${head.sequence} ${head.hash}` });
    }
    return closing;
  }

  /** Copies pages until the signal is aborted. */
  async run(
    pauseMs: number,
    signal: AbortSignal,
    log: (entry: Record<string, unknown>) => void,
  ): Promise<void> {
    let silent = false;
    while (!signal.aborted) {
      try {
        await this.copyPage(signal);
        silent = false;
      } catch (error) {
        if (signal.aborted) return;
        if (!silent) log({ step: 'external journal', error: clip(String(error)) });
        silent = true;
      }
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async refuse({ sequence }: JournalHead): Promise<void> {
    if (this.#refused) return;
    this.#refused = true;
    await this.journal.append({
      event: 'damaged',
      detail: `the external journal does not continue after entry ${sequence}`,
    });
  }
}

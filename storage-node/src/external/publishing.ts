import type { IncomingMessage, ServerResponse } from 'node:http';
import { StorageError } from '../errors.js';
import type { FileBlobStore } from '../file-blob-store.js';
import { answerError, answerJson } from '../http/answers.js';
import { certificateOf } from '../http/listener.js';
import type { Caller, Organizations } from '../identity/msp.js';
import { clip, type JournalEntry, type JournalFact, type JournalHead } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';

/** Who may bring blobs: the own internal zone, or an institution whose replicas are kept. */
export interface Publisher {
  mspId: string;
  subject: string;
  /** Bytes that a replica partner may fill; absent for the own internal zone. */
  quotaBytes?: number | undefined;
}

/** A store that publishers fill, with its fill level. */
export interface FilledStore {
  store: FileBlobStore;
  bytes: number;
}

/** What publishing works with. */
export interface PublishingParts {
  organizations: Organizations;
  publishers: readonly Publisher[];
  /** The store of the own blobs, or of one institution's replicas. */
  storeOf: (publisher: Publisher) => Promise<FilledStore>;
  journal: Journal;
  maximumBlobBytes: number;
  /** Blobs that the scrub found damaged or missing. */
  damaged: () => ReadonlySet<string>;
  /** A blob is whole again, or gone. */
  settled: (blob: string) => void;
  /** Told every entry about an object, with the institution whose store it is in. */
  noted: (owner: string, entry: Omit<JournalEntry, 'previous'>) => void;
  /** Resolves when the zone is about to end. */
  closing: AbortSignal;
  now?: () => Date;
}

const LINES = 500;
const LONGEST_WAIT_MS = 8_000;

/** Lines of the external zone's journal as the internal zone reads them. */
export interface JournalPage {
  lines: string[];
  head: JournalHead;
  closing: boolean;
}

/**
 * The inner side of the external zone: the only way in, and it leads in alone. A publisher brings blobs under their
 * hash, reads back and deletes what it brought; the own internal zone besides reads the journal and what is damaged.
 */
export class Publishing {
  private readonly now: () => Date;
  private onRead: (sequence: number) => void = () => undefined;
  /** Whether the internal zone follows the journal; its last page, which does not wait, says that it ends. */
  private followed = false;

  constructor(private readonly parts: PublishingParts) {
    this.now = parts.now ?? (() => new Date());
  }

  /** Waits until the internal zone has read the journal to its end, but no longer than so many milliseconds. */
  async readToEnd(ms: number): Promise<void> {
    if (!this.followed) return;
    const { sequence } = this.parts.journal.head;
    const read = new AbortController();
    this.onRead = (last) => {
      if (last >= sequence) read.abort();
    };
    await settledWithin(ms, read.signal);
  }

  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await this.answer(request, response);
    } catch (error) {
      answerError(response, error);
    }
  };

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { organizations, publishers, journal, damaged } = this.parts;
    const caller = organizations.identify(certificateOf(request), this.now());
    const publisher =
      typeof caller === 'string'
        ? undefined
        : publishers.find(({ mspId, subject }) => mspId === caller.mspId && subject === caller.subject);
    if (typeof caller === 'string' || !publisher) {
      const detail = typeof caller === 'string' ? `certificate: ${caller}` : 'not a publisher';
      await journal.append({ event: 'refused', ...(typeof caller !== 'string' && nameOf(caller)), detail });
      throw new StorageError('REFUSED', 'Only publishers come in here.');
    }
    const { method = '', url = '' } = request;
    const blob = /^\/v1\/blobs\/([0-9a-f]{64})$/.exec(url)?.[1];
    if (method === 'PUT' && blob !== undefined) return this.take(blob, caller, publisher, request, response);
    if (method === 'GET' && blob !== undefined) return this.giveBack(blob, caller, publisher, response);
    if (method === 'DELETE' && blob !== undefined) return this.delete(blob, caller, publisher, response);
    if (publisher.quotaBytes === undefined) {
      if (method === 'GET' && url === '/v1/damaged') return answerJson(response, 200, [...damaged()]);
      const page = /^\/v1\/journal\?after=(\d{1,15})(&wait=0)?$/.exec(url);
      if (method === 'GET' && page) return this.pageAfter(Number(page[1]), page[2] === undefined, response);
    }
    const detail = clip(`not a request to publish: ${method} ${url}`);
    await journal.append({ event: 'refused', ...nameOf(caller), detail });
    throw new StorageError('REQUEST_INVALID', 'This is not a request that the zone knows.');
  }

  private async take(
    blob: string,
    caller: Caller,
    publisher: Publisher,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { storeOf, maximumBlobBytes, settled } = this.parts;
    const filled = await storeOf(publisher);
    const left = publisher.quotaBytes === undefined ? Infinity : publisher.quotaBytes - filled.bytes;
    const known = await filled.store.has(blob);
    const most = Math.min(maximumBlobBytes, known ? maximumBlobBytes : left);
    if (Number(request.headers['content-length'] ?? 0) > most)
      throw new StorageError('TOO_LARGE', 'The blob is larger than there is room for.');
    const bytes = await filled.store.receive(blob, request as AsyncIterable<Uint8Array>, most);
    if (!known) filled.bytes += bytes;
    const detail = publisher.quotaBytes === undefined ? {} : { detail: 'replica' };
    await this.note(publisher, { event: 'stored', ...nameOf(caller), blob, bytes, ...detail });
    settled(blob);
    answerJson(response, 201, { blob, bytes });
  }

  /** A publisher reads back what it brought itself, for repairs. */
  private async giveBack(
    blob: string,
    caller: Caller,
    publisher: Publisher,
    response: ServerResponse,
  ): Promise<void> {
    const { storeOf, journal } = this.parts;
    const bytes = await (await storeOf(publisher)).store.get(blob);
    const detail = 'read back by its publisher';
    await journal.append({ event: 'allowed', ...nameOf(caller), blob, bytes: bytes.length, detail });
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length });
    response.end(bytes);
  }

  private async delete(
    blob: string,
    caller: Caller,
    publisher: Publisher,
    response: ServerResponse,
  ): Promise<void> {
    // Noted first: an object that is gone without a note would count as lost.
    await this.note(publisher, { event: 'deleted', ...nameOf(caller), blob });
    const filled = await this.parts.storeOf(publisher);
    if (await filled.store.has(blob)) {
      const { size, close } = await filled.store.open(blob);
      await close();
      await filled.store.remove(blob);
      filled.bytes -= size;
    }
    this.parts.settled(blob);
    answerJson(response, 200, { blob });
  }

  private async note(publisher: Publisher, fact: JournalFact): Promise<void> {
    const { sequence } = await this.parts.journal.append(fact);
    const entry = { ...fact, sequence, at: this.now().toISOString() };
    this.parts.noted(publisher.mspId, entry);
  }

  /** Waits a little for entries that are not there yet, so that the last one before the end is read, too. */
  private async pageAfter(after: number, patient: boolean, response: ServerResponse): Promise<void> {
    const { journal, closing } = this.parts;
    this.followed = patient;
    if (patient && journal.head.sequence <= after && !closing.aborted)
      await settledWithin(LONGEST_WAIT_MS, closing);
    const page: JournalPage = {
      lines: await journal.linesAfter(after, LINES),
      head: journal.head,
      closing: closing.aborted,
    };
    answerJson(response, 200, page);
    response.once('finish', () => this.onRead(after + page.lines.length));
  }
}

function settledWithin(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

const nameOf = ({ mspId, subject }: Caller): { mspId: string; subject: string } => ({
  mspId,
  subject: clip(subject),
});

import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { ObjectStore, OpenBlob } from '../blob-store.js';
import { StorageError } from '../errors.js';
import { PART_BYTES } from '../file-blob-store.js';
import type { GrantCache } from '../grants/grant-cache.js';
import { answerError } from '../http/answers.js';
import { certificateOf } from '../http/listener.js';
import type { Tally } from '../http/tally.js';
import type { Caller, Organizations } from '../identity/msp.js';
import { clip } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';
import { readRequest, type ReadRequest } from './read-requests.js';

/** Limits of one identity. */
export interface ReadLimits {
  requestsPerSecond: number;
  /** Downloads at once. */
  downloads: number;
  /** A download must not be slower than this in the long run, in bytes a second. */
  slowestBytesPerSecond: number;
  /** Nor stand still for so long, in milliseconds. */
  stallMs: number;
}

export const READ_LIMITS: ReadLimits = {
  requestsPerSecond: 100,
  downloads: 64,
  slowestBytesPerSecond: 16 * 1024,
  stallMs: 10_000,
};

/** What reading works with. */
export interface ReadingParts {
  /** The own blobs first, then replicas of others. */
  stores: () => readonly Pick<ObjectStore, 'open'>[];
  organizations: Organizations;
  grants: GrantCache;
  journal: Journal;
  tally: Tally;
  limits?: Partial<ReadLimits>;
  now?: () => Date;
}

/**
 * The reading side of the external zone: blobs by hash, for callers with a live grant. Whoever has none gets one and
 * the same answer, before anything is looked up: whether the blob is there has no part in it.
 */
export class Reading {
  private readonly limits: ReadLimits;
  private readonly rate: RateLimiterMemory;
  private readonly downloads = new Map<string, number>();
  private readonly now: () => Date;

  constructor(private readonly parts: ReadingParts) {
    this.limits = { ...READ_LIMITS, ...parts.limits };
    this.rate = new RateLimiterMemory({ points: this.limits.requestsPerSecond, duration: 1 });
    this.now = parts.now ?? (() => new Date());
  }

  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('cache-control', 'no-store');
    try {
      await this.answer(request, response);
    } catch (error) {
      answerError(response, error);
    }
  };

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { journal, tally, organizations, grants } = this.parts;
    const certificate = certificateOf(request);
    const caller = organizations.identify(certificate, this.now());
    if (typeof caller === 'string') {
      await journal.append({ event: 'refused', detail: `certificate: ${caller}` });
      throw new StorageError('REFUSED', 'The certificate is not taken here.');
    }
    const who = `${caller.mspId}/${caller.subject}`;
    if (!(await this.withinRate(who, response))) {
      tally.add(who, 'beyond the rate limit');
      return;
    }
    const asked = readRequest(request);
    if (!asked) {
      const detail = clip(`not a request to read a blob: ${request.method ?? ''} ${request.url ?? ''}`);
      await journal.append({ event: 'refused', ...nameOf(caller), detail });
      throw notFound();
    }
    const { blob, claim } = asked;
    const question = { mspId: caller.mspId, subject: caller.subject, blob, claim };
    const detail = clip(JSON.stringify(withoutPath(claim)));
    const granted = await grants.allows(question).catch(async (error: unknown) => {
      await journal.append({
        event: 'refused',
        ...nameOf(caller),
        blob,
        detail: clip(`no ledger: ${detail}`),
      });
      throw error;
    });
    if (!granted) {
      await journal.append({ event: 'refused', ...nameOf(caller), blob, detail });
      throw notFound();
    }
    if ((this.downloads.get(who) ?? 0) >= this.limits.downloads) {
      tally.add(who, 'beyond the downloads at once');
      tooMany(response);
      return;
    }
    this.downloads.set(who, (this.downloads.get(who) ?? 0) + 1);
    try {
      const open = await this.find(blob);
      try {
        await journal.append({ event: 'allowed', ...nameOf(caller), blob, bytes: open?.size ?? 0, detail });
        if (!open) throw notFound();
        const still = async (): Promise<string | undefined> => this.revokedSince(certificate, question);
        const ended = await this.send(open, asked, response, still);
        if (ended !== undefined)
          await journal.append({ event: 'cut', ...nameOf(caller), blob, detail: ended });
      } finally {
        await open?.close();
      }
    } finally {
      const left = (this.downloads.get(who) ?? 1) - 1;
      if (left > 0) this.downloads.set(who, left);
      else this.downloads.delete(who);
    }
  }

  private async withinRate(who: string, response: ServerResponse): Promise<boolean> {
    try {
      await this.rate.consume(who);
      return true;
    } catch {
      tooMany(response);
      return false;
    }
  }

  private async find(blob: string): Promise<OpenBlob | undefined> {
    for (const store of this.parts.stores()) {
      try {
        return await store.open(blob);
      } catch (error) {
        if (!(error instanceof StorageError && error.code === 'NOT_FOUND')) throw error;
      }
    }
    return undefined;
  }

  /** Asked again during a download; the reason why it may not go on, if there is one. */
  private async revokedSince(
    certificate: X509Certificate | undefined,
    question: Parameters<GrantCache['allows']>[0],
  ): Promise<string | undefined> {
    const caller = this.parts.organizations.identify(certificate, this.now());
    if (typeof caller === 'string') return `certificate: ${caller}`;
    try {
      return (await this.parts.grants.allows(question)) ? undefined : 'the grant has ended';
    } catch {
      return 'the ledger does not answer';
    }
  }

  /** Sends what was asked for in parts; resolves to why it was cut, or undefined when all was sent. */
  private async send(
    blob: OpenBlob,
    { from, to }: ReadRequest,
    response: ServerResponse,
    still: () => Promise<string | undefined>,
  ): Promise<string | undefined> {
    if (from > 0 && from >= blob.size) {
      response.writeHead(416, { 'content-range': `bytes */${blob.size}`, 'content-length': 0 }).end();
      return undefined;
    }
    const end = Math.min(blob.size, (to ?? Infinity) + 1);
    const partial = from > 0 || to !== undefined;
    response.writeHead(partial ? 206 : 200, {
      'content-type': 'application/octet-stream',
      'content-length': end - from,
      'accept-ranges': 'bytes',
      ...(partial && { 'content-range': `bytes ${from}-${end - 1}/${blob.size}` }),
    });
    const began = performance.now();
    const longestMs = this.limits.stallMs + (1000 * (end - from)) / this.limits.slowestBytesPerSecond;
    let checked = began;
    for (let position = from; position < end;) {
      if (response.destroyed) return 'the caller went away';
      const now = performance.now();
      if (now - began > longestMs) return cut(response, 'too slow');
      if (now - checked >= this.parts.grants.validMs) {
        const reason = await still();
        if (reason !== undefined) return cut(response, reason);
        checked = performance.now();
      }
      const part = await blob.read(position, Math.min(PART_BYTES, end - position));
      if (part.length === 0) return cut(response, 'the file ended early');
      position += part.length;
      if (!response.write(part) && !(await this.drained(response)))
        return cut(response, response.destroyed ? 'the caller went away' : 'stalled');
    }
    response.end();
    return undefined;
  }

  private async drained(response: ServerResponse): Promise<boolean> {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), this.limits.stallMs);
    const gone = (): void => ending.abort();
    response.once('close', gone);
    try {
      await once(response, 'drain', { signal: ending.signal });
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
      response.off('close', gone);
    }
  }
}

function cut(response: ServerResponse, reason: string): string {
  response.destroy();
  return reason;
}

function tooMany(response: ServerResponse): void {
  response.writeHead(429, { 'retry-after': '1', 'content-length': 0, connection: 'close' }).end();
}

/** The one answer for what is not there and for what is not granted. */
function notFound(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no such blob for this caller.');
}

const nameOf = ({ mspId, subject }: Caller): { mspId: string; subject: string } => ({
  mspId: clip(mspId, 64),
  subject: clip(subject),
});

/** The claim without the hashes of its path, which say nothing to a reader of the journal. */
function withoutPath(claim: unknown): unknown {
  return JSON.parse(
    JSON.stringify(claim, (key, value: unknown) => (key === 'path' ? undefined : value)),
  ) as unknown;
}

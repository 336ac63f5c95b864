import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../errors.js';
import { claimHeader, GRANT_HEADER } from '../external/read-requests.js';
import { collect, errorOf, ZoneClient, type ZoneEndpoint } from './zone-client.js';

/** Options of {@link RemoteBlobs}. */
export interface RemoteBlobsOptions {
  maximumBlobBytes?: number;
  /** For so long a blob is asked for again that is not granted yet: the zone's own peer may lag behind. */
  patienceMs?: number;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 1_500;
/** A download that breaks off goes on where it ended, so many times. */
const RESUMPTIONS = 5;

/** Blobs of another institution's external zone, by hash. */
export class RemoteBlobs implements Disposable {
  private readonly client: ZoneClient;
  private readonly maximumBlobBytes: number;
  private readonly patienceMs: number;

  constructor(endpoint: ZoneEndpoint, options: RemoteBlobsOptions = {}) {
    this.client = new ZoneClient(endpoint);
    this.maximumBlobBytes = options.maximumBlobBytes ?? 64 * 1024 * 1024;
    this.patienceMs = options.patienceMs ?? 15_000;
  }

  /**
   * Downloads a blob and hashes it as it comes.
   *
   * @param claim - by what right, as the ledger's contract defines it.
   * @throws StorageError `NOT_FOUND` (also without a grant), `CORRUPT`, `TOO_LARGE`, `UNAVAILABLE`.
   */
  async get(hash: string, claim: unknown, signal?: AbortSignal): Promise<Uint8Array> {
    const end = performance.now() + this.patienceMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        return await this.download(hash, claim, signal);
      } catch (error) {
        const again =
          error instanceof StorageError && (error.code === 'NOT_FOUND' || error.code === 'UNAVAILABLE');
        if (!again || performance.now() + wait > end) throw error;
      }
      await sleep(wait, undefined, signal ? { signal } : {});
    }
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }

  private async download(hash: string, claim: unknown, signal?: AbortSignal): Promise<Uint8Array> {
    const digest = createHash('sha256');
    const parts: Buffer[] = [];
    let length = 0;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.client.send({
        method: 'GET',
        path: `/v1/blobs/${hash}`,
        headers: {
          [GRANT_HEADER]: claimHeader(claim),
          ...(length > 0 && { range: `bytes=${length}-` }),
        },
        ...(signal && { signal }),
      });
      if (answer.statusCode === 429) {
        answer.resume();
        throw new StorageError('UNAVAILABLE', 'The zone asks for fewer requests.');
      }
      if (answer.statusCode !== (length > 0 ? 206 : 200)) {
        throw errorOf(answer.statusCode ?? 0, await collect(answer, 64 * 1024));
      }
      const whole = length + Number(answer.headers['content-length'] ?? 0);
      if (whole > this.maximumBlobBytes) {
        answer.destroy();
        throw new StorageError('TOO_LARGE', `Blob ${hash} has more than ${this.maximumBlobBytes} bytes.`);
      }
      const broken = await read(answer, (part) => {
        length += part.length;
        digest.update(part);
        parts.push(part);
      });
      if (!broken && length === whole) break;
      signal?.throwIfAborted();
      if (attempt >= RESUMPTIONS)
        throw new StorageError('UNAVAILABLE', `The download of blob ${hash} broke off.`, { cause: broken });
    }
    if (digest.digest('hex') !== hash)
      throw new StorageError('CORRUPT', `What the zone gave is not blob ${hash}.`);
    return Buffer.concat(parts, length);
  }
}

/** Reads to the end; resolves to the error where it breaks off. */
async function read(answer: IncomingMessage, take: (part: Buffer) => void): Promise<unknown> {
  try {
    for await (const part of answer as AsyncIterable<Buffer>) take(part);
    return undefined;
  } catch (error) {
    return error;
  }
}

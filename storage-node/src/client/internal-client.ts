import { createHash } from 'node:crypto';
import type { BlobStore } from '../blob-store.js';
import { StorageError } from '../errors.js';
import type { LogisticRequest, LogisticSums } from '../internal/logistic.js';
import { collect, errorOf, ZoneClient, type ZoneEndpoint } from './zone-client.js';

const MAXIMUM_BYTES = 64 * 1024 * 1024;

/** The own internal zone as the institution's agent uses it. */
export class InternalClient implements BlobStore, Disposable {
  private readonly client: ZoneClient;

  constructor(endpoint: ZoneEndpoint) {
    this.client = new ZoneClient(endpoint);
  }

  /** Keeps a ciphertext inside and publishes it; when the promise resolves both zones have it on their disks. */
  async put(bytes: Uint8Array): Promise<string> {
    const hash = sha256(bytes);
    await this.client.json({ method: 'PUT', path: `/v1/blobs/${hash}`, body: bytes });
    return hash;
  }

  async get(hash: string): Promise<Uint8Array> {
    const bytes = await this.read(`/v1/blobs/${hash}`);
    if (sha256(bytes) !== hash) throw new StorageError('CORRUPT', `What the zone gave is not blob ${hash}.`);
    return bytes;
  }

  async has(hash: string): Promise<boolean> {
    return this.get(hash).then(
      () => true,
      (error: unknown) => {
        if (error instanceof StorageError && error.code === 'NOT_FOUND') return false;
        throw error;
      },
    );
  }

  /** Keeps the next version of original records under a name, encrypted at rest. */
  async putOriginal(name: string, bytes: Uint8Array): Promise<void> {
    await this.client.json({ method: 'PUT', path: `/v1/originals/${name}`, body: bytes });
  }

  /** @throws StorageError `NOT_FOUND` and others. */
  getOriginal(name: string): Promise<Uint8Array> {
    return this.read(`/v1/originals/${name}`);
  }

  /** Sums of the logistic log-likelihood over original records, computed inside. */
  async logistic(name: string, request: LogisticRequest): Promise<LogisticSums> {
    const body = Buffer.from(JSON.stringify({ name, computation: 'logistic', request }));
    return (await this.client.json({ method: 'POST', path: '/v1/compute', body })) as LogisticSums;
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }

  private async read(path: string): Promise<Uint8Array> {
    const answer = await this.client.send({ method: 'GET', path });
    const body = await collect(answer, MAXIMUM_BYTES);
    if (answer.statusCode !== 200) throw errorOf(answer.statusCode ?? 0, body);
    return body;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

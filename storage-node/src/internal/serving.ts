import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ZoneClient } from '../client/zone-client.js';
import { StorageError } from '../errors.js';
import type { FileBlobStore } from '../file-blob-store.js';
import { answerError, answerJson, readBody, readJson } from '../http/answers.js';
import { certificateOf } from '../http/listener.js';
import type { Caller, Organizations } from '../identity/msp.js';
import { clip } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';
import { logisticSums } from './logistic.js';
import { storedFields } from './original-fields.js';
import type { Originals } from './originals.js';
import type { Register } from './objects.js';
import type { Replicas } from './replicas.js';
import { deleteObject, holdObject, releaseObject, type RetentionParts } from './retention.js';

/** What serving works with. */
export interface ServingParts extends RetentionParts {
  mspId: string;
  organizations: Organizations;
  ciphertexts: FileBlobStore;
  originals: Originals;
  journal: Journal;
  register: Register;
  external: Pick<ZoneClient, 'json'>;
  replicas: Replicas;
  maximumBlobBytes: number;
  now: () => Date;
}

const REQUEST_BYTES = 256 * 1024;
const computeRequest = z.strictObject({
  name: z.string().min(1),
  computation: z.literal('logistic'),
  request: z.unknown(),
});
const holdRequest = z.strictObject({ object: z.string(), reason: z.string().min(1).max(500) });

/** Who may do what: the agent works, operators keep order. */
type Role = 'institution' | 'operator';

interface Call {
  caller: Caller;
  request: IncomingMessage;
  response: ServerResponse;
  /** Parts of the path that a route names. */
  name: string;
}

interface Route {
  method: string;
  path: RegExp;
  role: Role;
  serve: (call: Call) => Promise<void>;
}

/** The internal zone's interface, for the institution's own people and agent. */
export class Serving {
  private readonly routes: readonly Route[] = [
    {
      method: 'PUT',
      path: /^\/v1\/blobs\/([0-9a-f]{64})$/,
      role: 'institution',
      serve: (c) => this.publish(c),
    },
    { method: 'GET', path: /^\/v1\/blobs\/([0-9a-f]{64})$/, role: 'institution', serve: (c) => this.read(c) },
    {
      method: 'PUT',
      path: /^\/v1\/originals\/([A-Za-z0-9._-]{1,121})$/,
      role: 'institution',
      serve: (c) => this.store(c),
    },
    {
      method: 'GET',
      path: /^\/v1\/originals\/([A-Za-z0-9._-]{1,121})$/,
      role: 'institution',
      serve: (c) => this.open(c),
    },
    { method: 'POST', path: /^\/v1\/compute()$/, role: 'institution', serve: (c) => this.compute(c) },
    { method: 'GET', path: /^\/v1\/objects()$/, role: 'operator', serve: (c) => this.list(c) },
    { method: 'POST', path: /^\/v1\/holds()$/, role: 'operator', serve: (c) => this.hold(c) },
    { method: 'POST', path: /^\/v1\/releases()$/, role: 'operator', serve: (c) => this.release(c) },
    { method: 'POST', path: /^\/v1\/deletions()$/, role: 'operator', serve: (c) => this.delete(c) },
  ];

  constructor(private readonly parts: ServingParts) {}

  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('cache-control', 'no-store');
    try {
      await this.answer(request, response);
    } catch (error) {
      answerError(response, error);
    }
  };

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { organizations, journal, mspId, now } = this.parts;
    const { method = '', url = '' } = request;
    const caller = organizations.identify(certificateOf(request), now());
    if (typeof caller === 'string' || caller.mspId !== mspId) {
      const detail = typeof caller === 'string' ? `certificate: ${caller}` : 'another institution';
      await journal.append({ event: 'refused', detail });
      throw new StorageError('REFUSED', 'Only the own institution comes in here.');
    }
    const route = this.routes.find((candidate) => candidate.method === method && candidate.path.test(url));
    const access = clip(`${method} ${url}`);
    if (!route || route.role !== caller.role) {
      await journal.append({ event: 'refused', ...nameOf(caller), detail: access });
      if (!route) throw new StorageError('REQUEST_INVALID', 'This is not a request that the zone knows.');
      throw new StorageError('REFUSED', `This needs a certificate with the role ${route.role}.`);
    }
    const name = route.path.exec(url)?.[1] ?? '';
    try {
      await route.serve({ caller, request, response, name });
    } catch (error) {
      const code = error instanceof StorageError ? error.code : 'IO';
      await journal.append({ event: 'refused', ...nameOf(caller), detail: clip(`${code}: ${access}`) });
      throw error;
    }
  }

  /** Keeps a ciphertext inside, then brings it to the external zone; acknowledged when both have it. */
  private async publish({ caller, request, response, name: blob }: Call): Promise<void> {
    const { ciphertexts, external, register, journal, replicas, maximumBlobBytes } = this.parts;
    const body = await readBody(request, maximumBlobBytes);
    const bytes = await ciphertexts.receive(blob, one(body), maximumBlobBytes);
    const known = register.live.ciphertext.since.has(blob);
    if (!known)
      await register.note(journal, { event: 'stored', ...nameOf(caller), blob, bytes, detail: 'ciphertext' });
    await external.json({ method: 'PUT', path: `/v1/blobs/${blob}`, body });
    if (!known) {
      await journal.append({ event: 'published', blob, bytes });
      replicas.add(blob);
    }
    answerJson(response, 201, { blob, bytes });
  }

  private async read({ caller, response, name: blob }: Call): Promise<void> {
    const bytes = await this.parts.ciphertexts.get(blob);
    await this.parts.journal.append({ event: 'allowed', ...nameOf(caller), blob, bytes: bytes.length });
    answerBytes(response, bytes);
  }

  private async store({ caller, request, response, name }: Call): Promise<void> {
    const { originals, register, journal, maximumBlobBytes, retentionDays, now } = this.parts;
    const plain = await readBody(request, maximumBlobBytes);
    const at = now();
    const until = new Date(at.getTime() + retentionDays.originals * 86_400_000);
    const { version, object, bytes } = await originals.put(name, plain, until, at);
    const fact = { event: 'stored' as const, ...nameOf(caller), blob: object, bytes, detail: 'original' };
    await register.note(journal, fact);
    answerJson(response, 201, { name, version, object });
  }

  private async open({ caller, response, name }: Call): Promise<void> {
    const plain = await this.parts.originals.get(name);
    const fact = { event: 'allowed' as const, ...nameOf(caller), bytes: plain.length };
    await this.parts.journal.append({ ...fact, detail: clip(`original ${name}`) });
    answerBytes(response, plain);
  }

  private async compute({ caller, request, response }: Call): Promise<void> {
    const parsed = computeRequest.safeParse(await readJson(request, REQUEST_BYTES));
    if (!parsed.success) throw new StorageError('REQUEST_INVALID', 'There is no such computation.');
    const { name, computation, request: asked } = parsed.data;
    const plain = Buffer.from(await this.parts.originals.get(name)).toString('utf8');
    const sums = logisticSums(storedFields.parse(JSON.parse(plain)), asked);
    const detail = clip(`${computation} over ${name}: ${JSON.stringify(asked)}`, 1000);
    await this.parts.journal.append({ event: 'computed', ...nameOf(caller), detail });
    answerJson(response, 200, sums);
  }

  private async list({ caller, response }: Call): Promise<void> {
    const { originals, register, journal } = this.parts;
    await journal.append({ event: 'allowed', ...nameOf(caller), detail: 'list of objects' });
    answerJson(response, 200, {
      originals: originals.list().map(({ name, version, object, bytes, storedAt, retainUntil }) => ({
        name,
        version,
        object,
        bytes,
        storedAt,
        retainUntil,
        held: register.held.has(object),
      })),
      ciphertexts: register.live.ciphertext.since.size,
    });
  }

  private async hold({ caller, request, response }: Call): Promise<void> {
    const parsed = holdRequest.safeParse(await readJson(request, REQUEST_BYTES));
    if (!parsed.success) throw new StorageError('REQUEST_INVALID', 'A hold names an object and a reason.');
    await holdObject(this.parts, caller, parsed.data);
    answerJson(response, 201, parsed.data);
  }

  private async release({ request, response }: Call): Promise<void> {
    answerJson(response, 200, await releaseObject(this.parts, await readJson(request, REQUEST_BYTES)));
  }

  private async delete({ request, response }: Call): Promise<void> {
    answerJson(response, 200, await deleteObject(this.parts, await readJson(request, REQUEST_BYTES)));
  }
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

function answerBytes(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length });
  response.end(bytes);
}

const nameOf = ({ mspId, subject }: Caller): { mspId: string; subject: string } => ({
  mspId,
  subject: clip(subject),
});

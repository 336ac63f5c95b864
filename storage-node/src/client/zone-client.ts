import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { StorageError, type StorageErrorCode } from '../errors.js';

/** How a zone is reached, and as whom. */
export interface ZoneEndpoint {
  host: string;
  port: number;
  /** Name in the zone's TLS certificate. */
  serverName: string;
  /** PEM of the authority that issued it. */
  authority: string;
  /** PEM: who calls. */
  certificate: string;
  key: string;
}

/** One request. */
export interface ZoneRequest {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
  signal?: AbortSignal;
}

const CONNECTIONS = 8;
const CONNECT_MS = 10_000;
/** No zone stays silent for longer. */
const SILENCE_MS = 60_000;
const ERROR_BYTES = 16 * 1024;
/** A connection that the other side closed while it was idle; GET and PUT of a blob by hash may be repeated. */
const STALE = new Set(['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ETIMEDOUT']);
const ATTEMPTS = 3;

/** Requests to one zone over mutual TLS 1.3, on connections that are kept. */
export class ZoneClient implements Disposable {
  private readonly agent: Agent;

  constructor(private readonly endpoint: ZoneEndpoint) {
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: CONNECTIONS,
      scheduling: 'lifo',
      minVersion: 'TLSv1.3',
      maxCachedSessions: 0,
    });
  }

  /**
   * Sends a request and waits for the head of the answer. Repeats it where the connection broke before.
   *
   * @throws StorageError `UNAVAILABLE`.
   */
  async send(request: ZoneRequest): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(request);
      } catch (error) {
        request.signal?.throwIfAborted();
        const code = (error as NodeJS.ErrnoException).code ?? '';
        if (attempt < ATTEMPTS && STALE.has(code)) continue;
        const { host, port } = this.endpoint;
        throw new StorageError('UNAVAILABLE', `The zone at ${host}:${port} cannot be reached (${code}).`, {
          cause: error,
        });
      }
    }
  }

  /** The same for small answers of JSON. @throws StorageError of the zone's code, or `UNAVAILABLE`. */
  async json(request: ZoneRequest, maximumBytes = 8 * 1024 * 1024): Promise<unknown> {
    const answer = await this.send(request);
    const body = await collect(answer, maximumBytes);
    if ((answer.statusCode ?? 0) >= 300) throw errorOf(answer.statusCode ?? 0, body);
    return JSON.parse(body.toString('utf8')) as unknown;
  }

  [Symbol.dispose](): void {
    this.agent.destroy();
  }

  private attempt({ method, path, headers = {}, body, signal }: ZoneRequest): Promise<IncomingMessage> {
    const { host, port, serverName, authority, certificate, key } = this.endpoint;
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          host,
          port,
          servername: serverName,
          ca: authority,
          cert: certificate,
          key,
          method,
          path,
          headers: { ...headers, ...(body && { 'content-length': body.length }) },
          agent: this.agent,
          timeout: SILENCE_MS,
          ...(signal && { signal }),
        },
        resolve,
      );
      const connecting = setTimeout(() => request.destroy(timeout()), CONNECT_MS);
      request.once('socket', (socket) => {
        if (!socket.connecting) clearTimeout(connecting);
        else socket.once('secureConnect', () => clearTimeout(connecting));
      });
      request.once('timeout', () => request.destroy(timeout()));
      request.once('close', () => clearTimeout(connecting));
      request.once('error', reject);
      request.end(body);
    });
  }
}

/** Reads an answer to its end. @throws StorageError `TOO_LARGE`, `UNAVAILABLE` when it breaks off. */
export async function collect(answer: IncomingMessage, maximumBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > maximumBytes) {
        answer.destroy();
        throw new StorageError('TOO_LARGE', `The answer has more than ${maximumBytes} bytes.`);
      }
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('UNAVAILABLE', 'The answer broke off.', { cause: error });
  }
  return Buffer.concat(parts);
}

/** The error that an answer stands for. */
export function errorOf(status: number, body: Buffer): StorageError {
  try {
    const { code, message } = JSON.parse(body.subarray(0, ERROR_BYTES).toString('utf8')) as Record<
      string,
      unknown
    >;
    if (typeof code === 'string' && typeof message === 'string')
      return new StorageError(code as StorageErrorCode, message);
  } catch {
    // Said by its status alone.
  }
  return new StorageError('UNAVAILABLE', `The zone answered with status ${status}.`);
}

function timeout(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
}

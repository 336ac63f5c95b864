import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { StorageError } from '../errors.js';

/** Limits of a listener against those who only want to keep it busy. */
export interface ListenerLimits {
  /** Connections at once, and new ones of one address in a second. */
  connections: number;
  connectionsPerSecond: number;
  /** Milliseconds for handshake and headers; for the whole of a request's body; without any byte either way. */
  headersMs: number;
  requestMs: number;
  idleMs: number;
}

export const LISTENER_LIMITS: ListenerLimits = {
  connections: 1_000,
  connectionsPerSecond: 100,
  headersMs: 5_000,
  requestMs: 120_000,
  idleMs: 15_000,
};
/** A claim with its path fits many times over. */
const HEADER_BYTES = 16 * 1024;

/** Where and as whom a listener serves. */
export interface ListenerOptions {
  host: string;
  port: number;
  /** PEM. */
  certificate: string;
  key: string;
  /** PEM of the authorities whose client certificates pass the handshake. */
  authorities: readonly string[];
  limits?: Partial<ListenerLimits>;
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Told of connections that ended before a request: no certificate, a wrong one, too many, too slow. */
  refused: (address: string, reason: string) => void;
}

/**
 * HTTP/1.1 over TLS 1.3, for clients whose certificate one of the authorities issued. No session is resumed, so that
 * every connection shows its certificate.
 */
export class Listener implements AsyncDisposable {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** @throws StorageError `UNAVAILABLE` when the port is taken; `CONFIG_INVALID` for keys that do not fit. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const limits = { ...LISTENER_LIMITS, ...options.limits };
    let server: Server;
    try {
      server = createServer({
        cert: options.certificate,
        key: options.key,
        ca: [...options.authorities],
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout: limits.headersMs,
        maxHeaderSize: HEADER_BYTES,
        connectionsCheckingInterval: Math.min(1_000, limits.headersMs / 2),
        requireHostHeader: true,
        keepAlive: true,
      });
    } catch (cause) {
      throw new StorageError('CONFIG_INVALID', 'The certificate and key of the zone do not fit.', { cause });
    }
    server.headersTimeout = limits.headersMs;
    server.requestTimeout = limits.requestMs;
    server.keepAliveTimeout = limits.idleMs;
    server.maxConnections = limits.connections;
    server.timeout = limits.idleMs;
    const listener = new Listener(server);
    listener.guard(limits, options.refused);
    server.on('request', (request, response) => {
      options.handle(request, response).catch(() => response.destroy());
    });
    server.listen(options.port, options.host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      const place = `${options.host}:${options.port}`;
      throw new StorageError('UNAVAILABLE', `The zone cannot listen at ${place}.`, { cause });
    }
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Takes other authorities for the connections to come. */
  trust(certificate: string, key: string, authorities: readonly string[]): void {
    this.server.setSecureContext({ cert: certificate, key, ca: [...authorities], minVersion: 'TLSv1.3' });
  }

  /** Takes no new requests, lets running ones end for so long, then cuts them. */
  async close(graceMs = 0): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    const cut = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private guard(limits: ListenerLimits, refused: ListenerOptions['refused']): void {
    const arrivals = new RateLimiterMemory({ points: limits.connectionsPerSecond, duration: 1 });
    this.server.on('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? 'unknown';
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      arrivals.consume(address).catch(() => {
        refused(address, 'too many connections');
        socket.destroy();
      });
    });
    this.server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      refused(socket.remoteAddress ?? 'unknown', error.code ?? 'handshake failed');
      socket.destroy();
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      refused((socket as Socket).remoteAddress ?? 'unknown', error.code ?? 'not HTTP');
      socket.destroy();
    });
    this.server.on('timeout', (socket: Socket) => socket.destroy());
  }
}

/** The certificate that the client of a request showed. */
export function certificateOf(request: IncomingMessage): X509Certificate | undefined {
  return (request.socket as TLSSocket).getPeerX509Certificate();
}

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server and counts what goes through, TLS and all. */
export class CountingProxy implements AsyncDisposable {
  private count = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param target - `host:port` */
  static async to(target: string): Promise<CountingProxy> {
    const [host = '', port = ''] = target.split(':');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the proxy has no port');
    const proxy = new CountingProxy(server, address.port);
    server.on('connection', (client) => {
      const upstream = connect(Number(port), host);
      for (const socket of [client, upstream]) {
        proxy.sockets.add(socket);
        socket.setNoDelay(true).on('data', (bytes) => (proxy.count += bytes.length));
        socket.on('close', () => proxy.sockets.delete(socket));
        // Either side may break off; the other hears of it by its own end.
        socket.on('error', () => socket.destroy());
      }
      client.pipe(upstream).pipe(client);
    });
    return proxy;
  }

  /** Bytes in both directions since the last call. */
  take(): number {
    const { count } = this;
    this.count = 0;
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

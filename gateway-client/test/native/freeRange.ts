import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** The first of so many ports in a row that are free now. */
export async function freeRange(length: number): Promise<number> {
  for (;;) {
    const first = await listen(0);
    if (!first) continue;
    const port = portOf(first);
    const others = await Promise.all(
      Array.from({ length: length - 1 }, (_, index) => listen(port + 1 + index)),
    );
    const all = [first, ...others];
    await Promise.all(all.map((server) => server && close(server)));
    if (all.every((server) => server !== undefined)) return port;
  }
}

async function listen(port: number): Promise<Server | undefined> {
  if (port > 65_535) return undefined;
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

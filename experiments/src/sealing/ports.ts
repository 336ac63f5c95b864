import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range that systems hand out to clients. */
const [LOWEST, HIGHEST] = [12_000, 30_000];

/** The first of so many ports in a row that are free now. */
export async function freePortRange(count: number): Promise<number> {
  for (;;) {
    const base = randomInt(LOWEST, HIGHEST - count);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(base + i)));
    if (free.every(Boolean)) return base;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

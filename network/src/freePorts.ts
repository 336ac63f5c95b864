import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems hand out to clients, whose connections would be in the way. */
const [LOWEST, HIGHEST] = [10_000, 32_000];
const SHARES = 8;
const WIDTH = (HIGHEST - LOWEST) / SHARES;

/**
 * The first of so many TCP ports in a row that are free on loopback now.
 *
 * @param share - which part of all ports to look in: programs that run side by side and name different shares (from 0;
 *   every eighth is the same) never find the same ports. The whole unless given.
 */
export async function freePortRange(count: number, share?: number): Promise<number> {
  const lowest = share === undefined ? LOWEST : LOWEST + (share % SHARES) * WIDTH;
  const width = share === undefined ? HIGHEST - LOWEST : WIDTH;
  if (count >= width) throw new RangeError(`at most ${width - 1} ports in a row`);
  for (;;) {
    const base = lowest + randomInt(width - count);
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

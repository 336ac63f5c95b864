import { freePortRange } from '../../src/freePorts.js';

/** As freePortRange; test files that run at the same time do so in different workers of jest, and never meet. */
export function portRange(count: number): Promise<number> {
  return freePortRange(count, Number(process.env['JEST_WORKER_ID'] ?? 0));
}

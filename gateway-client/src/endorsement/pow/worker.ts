import { parentPort, workerData } from 'node:worker_threads';
import { search } from './search.js';

/** What a mining thread is started with: shared with all threads of a pool. */
export interface WorkerShare {
  /** The id of the work that is wanted now; a thread leaves any other. */
  readonly wanted: Int32Array;
  /** Hashes tried by all threads. */
  readonly tried: BigInt64Array;
}

/** One header to find a nonce for. */
export interface WorkerTask {
  readonly id: number;
  readonly header: Uint8Array;
  readonly target: Uint8Array;
  /** The earliest timestamp that the chain accepts; later the clock's. */
  readonly notBefore: number;
}

export interface WorkerFind {
  readonly id: number;
  readonly header: Uint8Array;
}

/** Some milliseconds of work: how long a cancelled thread goes on. */
const CHUNK = 2048;
const TIMESTAMP_OFFSET = 104;

const { wanted, tried } = workerData as WorkerShare;
parentPort?.on('message', ({ id, header: bytes, target, notBefore }: WorkerTask) => {
  const header = Buffer.from(bytes);
  while (Atomics.load(wanted, 0) === id) {
    header.writeBigUInt64LE(BigInt(Math.max(notBefore, Date.now())), TIMESTAMP_OFFSET);
    const result = search(header, target, CHUNK);
    Atomics.add(tried, 0, BigInt(result.tried));
    if (!result.found) continue;
    parentPort?.postMessage({ id, header: new Uint8Array(header) } satisfies WorkerFind);
    return;
  }
});

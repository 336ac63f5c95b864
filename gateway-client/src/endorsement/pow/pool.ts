import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { NONCE_OFFSET } from '@strokeshare/chaincode';
import { ClientError } from '../../errors.js';
import type { WorkerFind, WorkerShare, WorkerTask } from './worker.js';

/** Built code, also where the sources run. */
const WORKER_FILE = join(__dirname, '..', '..', '..', 'dist', 'endorsement', 'pow', 'worker.js');
const PROGRESS_MS = 500;

/** A header to find a nonce for. */
export interface PoolTask extends Omit<WorkerTask, 'id'> {
  signal: AbortSignal;
  onProgress?: (hashes: number, hashesPerSecond: number) => void;
}

/** Threads that mine: each begins at a nonce of its own, and all stop within milliseconds of a find or a cancellation. */
export class MiningPool implements AsyncDisposable {
  private readonly share: WorkerShare = {
    wanted: new Int32Array(new SharedArrayBuffer(4)),
    tried: new BigInt64Array(new SharedArrayBuffer(8)),
  };
  private readonly workers: Worker[];
  private last = 0;

  constructor(threads: number) {
    this.workers = Array.from({ length: threads }, () => new Worker(WORKER_FILE, { workerData: this.share }));
    // A thread that waits for work does not keep the process.
    for (const worker of this.workers) {
      worker.setMaxListeners(0);
      worker.unref();
    }
  }

  /** Hashes tried since the pool was made. */
  get hashes(): number {
    return Number(Atomics.load(this.share.tried, 0));
  }

  /**
   * One task at a time.
   *
   * @returns the header with its nonce and timestamp.
   * @throws ClientError `CANCELLED`, `MINING_FAILED`.
   */
  async find({ header, target, notBefore, signal, onProgress }: PoolTask): Promise<Uint8Array> {
    const id = ++this.last;
    const before = this.hashes;
    const started = performance.now();
    const listeners: (() => void)[] = [];
    const timer = setInterval(() => {
      const hashes = this.hashes - before;
      onProgress?.(hashes, (1000 * hashes) / (performance.now() - started));
    }, PROGRESS_MS);
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        const cancel = (): void => reject(new ClientError('CANCELLED', 'The mining was cancelled.'));
        if (signal.aborted) {
          cancel();
          return;
        }
        signal.addEventListener('abort', cancel, { once: true });
        listeners.push(() => signal.removeEventListener('abort', cancel));
        Atomics.store(this.share.wanted, 0, id);
        for (const worker of this.workers) {
          const found = (find: WorkerFind): void => {
            if (find.id === id) resolve(find.header);
          };
          const failed = (cause: unknown): void =>
            reject(new ClientError('MINING_FAILED', 'A mining thread ended.', { cause }));
          worker.on('message', found).on('error', failed).on('exit', failed);
          listeners.push(() => worker.off('message', found).off('error', failed).off('exit', failed));
          const own = Buffer.from(header);
          randomBytes(8).copy(own, NONCE_OFFSET);
          worker.postMessage({ id, header: own, target, notBefore } satisfies WorkerTask);
        }
      });
    } finally {
      Atomics.store(this.share.wanted, 0, 0);
      clearInterval(timer);
      for (const remove of listeners) remove();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.share.wanted, 0, 0);
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

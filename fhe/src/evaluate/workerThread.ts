/** A worker thread with a queue of tasks: one runs at a time, and each may make several calls. */
import { join } from 'node:path';
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { FheError, type FheErrorCode } from '../errors.js';
import { type Envelope, type Reply, type Request } from '../worker/protocol.js';

/** Blobs that are given away go to the worker without a copy, and are empty here afterwards. */
export type Call = (request: Request, given?: Iterable<Uint8Array>) => Promise<Uint8Array[]>;

interface Pending {
  id: number;
  resolve: (blobs: Uint8Array[]) => void;
  reject: (error: FheError) => void;
}

/** The compiled worker: beside this file's folder when this is compiled too, else in the package's `dist`. */
const WORKER_FILE = join(__dirname, '..', '..', 'dist', 'worker', 'main.js');

export class WorkerThread implements AsyncDisposable {
  readonly #worker: Worker;
  #last: Promise<unknown> = Promise.resolve();
  #pending: Pending | undefined;
  #calls = 0;
  /** Why no task can run any more. */
  #ended: FheError | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (cause) =>
      this.#end(new FheError('WORKER_FAILED', 'The worker thread failed.', { cause })),
    );
    worker.on('exit', () => this.#end(new FheError('WORKER_FAILED', 'The worker thread ended.')));
  }

  /** Starts a worker for a parameter set and waits until its context is made. */
  static async start(parameterSetId: string): Promise<WorkerThread> {
    const thread = new WorkerThread(new Worker(WORKER_FILE, { workerData: { parameterSetId } }));
    try {
      await new Promise<Uint8Array[]>((resolve, reject) => {
        thread.#pending = { id: 0, resolve, reject };
      });
    } catch (error) {
      await thread[Symbol.asyncDispose]();
      throw error;
    }
    return thread;
  }

  /** Whether tasks can run. */
  get alive(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Runs a task when those before it have ended.
   * @throws FheError what the task throws; CANCELLED; DISPOSED; WORKER_FAILED.
   */
  run<T>(task: (call: Call) => Promise<T>, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
    const cancelled = flag();
    const before = this.#last;
    const work = async (): Promise<T> => {
      await before;
      this.#check(signal);
      let underWay: Promise<unknown> = Promise.resolve();
      const call: Call = (request, given) => {
        this.#check(signal);
        const reply = this.#call(request, cancelled, given);
        underWay = reply.catch(() => undefined);
        return reply;
      };
      try {
        return await (signal ? unlessAborted(task(call), signal, () => underWay) : task(call));
      } catch (error) {
        if (!this.#ended) await this.#call({ kind: 'reset', evaluation: 0 }, flag());
        throw error;
      }
    };
    const result = work();
    // The next task waits for the end of this one, and does not care how it ended.
    this.#last = result.catch(() => undefined);
    return signal ? orAborted(result, signal, cancelled) : result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new FheError('DISPOSED', 'The evaluator was disposed of.'));
    await this.#worker.terminate();
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#ended) throw this.#ended;
    if (signal?.aborted) throw cancellation(signal);
  }

  #call(
    request: Request,
    cancelled: Int32Array<SharedArrayBuffer>,
    given: Iterable<Uint8Array> = [],
  ): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const id = ++this.#calls;
      this.#pending = { id, resolve, reject };
      this.#worker.postMessage({ id, request, cancelled } satisfies Envelope, buffersOf(given));
    });
  }

  #settle(reply: Reply): void {
    const pending = this.#pending;
    if (pending?.id !== reply.id) return;
    this.#pending = undefined;
    if (reply.ok) pending.resolve(reply.blobs);
    else pending.reject(new FheError(reply.error.code as FheErrorCode, reply.error.message));
  }

  #end(reason: FheError): void {
    this.#ended ??= reason;
    this.#pending?.reject(this.#ended);
    this.#pending = undefined;
  }
}

/** The memory of blobs, each once; a view of a part is copied, since others may have the rest. */
function buffersOf(blobs: Iterable<Uint8Array>): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { buffer, byteLength } of blobs)
    if (types.isArrayBuffer(buffer) && buffer.byteLength === byteLength) buffers.add(buffer);
  return [...buffers];
}

function flag(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** The task's end, or that of the call under way when the signal comes: its batches may never do. */
function unlessAborted<T>(
  task: Promise<T>,
  signal: AbortSignal,
  underWay: () => Promise<unknown>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      void underWay().then(() => reject(cancellation(signal)));
    };
    signal.addEventListener('abort', abort, { once: true });
    void task.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The result, or CANCELLED as soon as the signal is given; the worker then stops at its next operation. */
function orAborted<T>(
  result: Promise<T>,
  signal: AbortSignal,
  cancelled: Int32Array<SharedArrayBuffer>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      Atomics.store(cancelled, 0, 1);
      reject(cancellation(signal));
    };
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

export function cancellation(signal: AbortSignal): FheError {
  return new FheError('CANCELLED', 'The task was cancelled.', { cause: signal.reason });
}

/**
 * Worker threads that are leased one task at a time, in the order of asking. A worker that dies takes only its own
 * task with it: another is started in its place, with the keys that it held.
 */
import { FheError } from '../errors.js';
import { type Request } from '../worker/protocol.js';
import { cancellation, WorkerThread } from './workerThread.js';

type KeyRequest = Extract<Request, { kind: 'publicKey' | 'relinKeys' }>;

interface Waiter {
  resolve: (thread: WorkerThread) => void;
  reject: (error: unknown) => void;
}

/** As many epochs as a worker keeps keys of. */
const KEPT_KEYS = 2;

export class WorkerCrew implements AsyncDisposable {
  readonly size: number;
  readonly #parameterSetId: string;
  readonly #threads = new Set<WorkerThread>();
  readonly #idle: WorkerThread[] = [];
  readonly #waiting = new Set<Waiter>();
  readonly #starting = new Set<Promise<unknown>>();
  /** Of each kind the latest few, oldest first. */
  #keys: KeyRequest[] = [];
  #disposed = false;

  private constructor(parameterSetId: string, size: number) {
    this.#parameterSetId = parameterSetId;
    this.size = size;
  }

  static async start(parameterSetId: string, size: number): Promise<WorkerCrew> {
    const crew = new WorkerCrew(parameterSetId, size);
    try {
      await Promise.all(Array.from({ length: size }, () => crew.#startOne()));
      return crew;
    } catch (error) {
      await crew[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Runs work on a worker of its own.
   * @throws FheError what the work throws; CANCELLED or DISPOSED while it waits; WORKER_FAILED
   */
  async with<T>(work: (thread: WorkerThread) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const thread = await this.#lease(signal);
    try {
      return await this.on(thread, work);
    } finally {
      this.#giveBack(thread);
    }
  }

  /** Runs work on a worker that holds part of a task, in turn with whatever else it does. */
  async on<T>(thread: WorkerThread, work: (thread: WorkerThread) => Promise<T>): Promise<T> {
    try {
      return await work(thread);
    } catch (error) {
      // The instance's memory cannot be trusted after a failure that is not SEAL's own.
      if (isDeath(error)) await thread[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The workers that can run tasks. */
  get alive(): WorkerThread[] {
    return [...this.#threads].filter((thread) => thread.alive);
  }

  /** Loads a key into every worker, and into those that are started later. */
  async loadKey(request: KeyRequest, signal?: AbortSignal): Promise<void> {
    this.#requireOpen();
    const before = this.#keys;
    const others = before.filter((key) => key.kind !== request.kind || key.epochId !== request.epochId);
    const same = others.filter((key) => key.kind === request.kind);
    const dropped = new Set(same.slice(0, Math.max(0, same.length - KEPT_KEYS + 1)));
    this.#keys = [...others.filter((key) => !dropped.has(key)), request];
    await Promise.allSettled(this.#starting);
    const loads = await Promise.allSettled(
      [...this.#threads].map((thread) =>
        thread.run((call) => call(request), signal === undefined ? {} : { signal }),
      ),
    );
    const refused = loads.find((load) => load.status === 'rejected' && !isDeath(load.reason));
    if (!refused) return;
    this.#keys = this.#keys.filter((key) => key !== request);
    throw (refused as PromiseRejectedResult).reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const waiter of this.#waiting) waiter.reject(disposed());
    this.#waiting.clear();
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#threads].map((thread) => thread[Symbol.asyncDispose]()));
  }

  #lease(signal: AbortSignal | undefined): Promise<WorkerThread> {
    this.#requireOpen();
    if (signal?.aborted) return Promise.reject(cancellation(signal));
    for (let thread = this.#idle.shift(); thread; thread = this.#idle.shift()) {
      if (thread.alive) return Promise.resolve(thread);
      this.#threads.delete(thread);
    }
    const leased = new Promise<WorkerThread>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(waiter);
        if (signal) reject(cancellation(signal));
      };
      const settled = (): void => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = {
        resolve: (thread) => {
          settled();
          resolve(thread);
        },
        reject: (error) => {
          settled();
          reject(error as Error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
    });
    this.#refill();
    return leased;
  }

  #giveBack(thread: WorkerThread): void {
    if (this.#disposed) return;
    if (!thread.alive) {
      this.#threads.delete(thread);
      this.#refill();
      return;
    }
    const [next] = this.#waiting;
    if (!next) {
      this.#idle.push(thread);
      return;
    }
    this.#waiting.delete(next);
    next.resolve(thread);
  }

  /**
   * Starts workers in the place of dead ones. Tasks wait for whichever comes; they fail where none is left that could.
   */
  #refill(): void {
    for (let missing = this.size - this.#threads.size - this.#starting.size; missing > 0; missing--) {
      const starting: Promise<void> = this.#startOne()
        .finally(() => this.#starting.delete(starting))
        .catch((error: unknown) => {
          if (this.#starting.size > 0 || this.alive.length > 0) return;
          for (const waiter of this.#waiting) waiter.reject(error);
          this.#waiting.clear();
        });
      this.#starting.add(starting);
    }
  }

  async #startOne(): Promise<void> {
    const thread = await WorkerThread.start(this.#parameterSetId);
    if (this.#disposed) {
      await thread[Symbol.asyncDispose]();
      return;
    }
    this.#threads.add(thread);
    // All are queued before any task can be. A key that is being refused elsewhere is refused here too, then missing.
    await Promise.allSettled(this.#keys.map((key) => thread.run((call) => call(key))));
    this.#giveBack(thread);
  }

  #requireOpen(): void {
    if (this.#disposed) throw disposed();
  }
}

function isDeath(error: unknown): boolean {
  return error instanceof FheError && error.code === 'WORKER_FAILED';
}

function disposed(): FheError {
  return new FheError('DISPOSED', 'The pool was disposed of.');
}

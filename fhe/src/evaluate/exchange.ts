/**
 * One evaluation shared by several workers: each takes batches as it is ready for them, from one stream; in the end
 * they exchange their sums, so that every cell is added up, relinearised and written by one of them.
 */
import { FheError } from '../errors.js';
import { type BatchBlobs } from './evaluator.js';
import { columnsOf } from './requests.js';
import { type Work } from './work.js';
import { type Call } from './workerThread.js';

type Drained = [cell: string, words: Uint8Array][];

export class Exchange {
  readonly #work: Work;
  readonly #epochId: string;
  readonly #batches: AsyncIterator<BatchBlobs> | Iterator<BatchBlobs>;
  readonly #allRead = new Barrier();
  readonly #allDrained = new Barrier();
  readonly #drained = new Map<string, Uint8Array[]>();
  readonly #results = new Map<string, Uint8Array>();
  readonly #ended = new AbortController();
  #reading: Promise<unknown> = Promise.resolve();
  #number = 0;
  #lanes = 0;

  constructor(work: Work, epochId: string, batches: Iterable<BatchBlobs> | AsyncIterable<BatchBlobs>) {
    this.#work = work;
    this.#epochId = epochId;
    this.#batches =
      Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
  }

  /** Given when no more workers can help: the batches have ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** One worker's part. */
  async run(call: Call): Promise<void> {
    if (this.ended.aborted) return;
    const lane = this.#lanes++;
    await call({ kind: 'begin', epochId: this.#epochId, work: this.#work });
    for (let next = await this.#next(); next; next = await this.#next())
      await call({ kind: 'batch', columns: columnsOf(next.batch, this.#work, next.number) });
    await this.#allRead.reach(this.#lanes);
    if (this.#number === 0) throw new FheError('ARGUMENT_INVALID', 'There is no batch to evaluate.');

    const ids = this.#work.cells.map((cell) => cell.id);
    const own = ids.filter((_, i) => i % this.#lanes === lane);
    const others = ids.filter((_, i) => i % this.#lanes !== lane);
    if (others.length > 0) this.#offer(others, await call({ kind: 'drain', cells: others }));
    await this.#allDrained.reach(this.#lanes);
    if (own.length === 0) return;
    const sums: Drained = own.flatMap((id) =>
      (this.#drained.get(id) ?? []).map((words): Drained[number] => [id, words]),
    );
    if (sums.length > 0) await call({ kind: 'absorb', sums });
    const blobs = await call({ kind: 'finish', cells: own });
    own.forEach((id, i) => this.#results.set(id, blobs[i] ?? new Uint8Array()));
  }

  /** The partial results in the order of the work's cells, when every worker has done its part. */
  results(): Map<string, Uint8Array> {
    return new Map(this.#work.cells.map(({ id }) => [id, this.#results.get(id) ?? new Uint8Array()]));
  }

  /** Gives up: nobody joins any more, and the stream of batches is closed. */
  close(): void {
    this.#ended.abort();
    void Promise.resolve(this.#batches.return?.()).catch(() => undefined);
  }

  #next(): Promise<{ batch: BatchBlobs; number: number } | undefined> {
    const read = async (): Promise<{ batch: BatchBlobs; number: number } | undefined> => {
      if (this.ended.aborted) return undefined;
      const result = await this.#batches.next();
      if (!result.done) return { batch: result.value, number: ++this.#number };
      this.#ended.abort();
      return undefined;
    };
    const next = this.#reading.then(read, read);
    this.#reading = next;
    return next;
  }

  #offer(cells: readonly string[], words: readonly Uint8Array[]): void {
    cells.forEach((id, i) => {
      const sum = words[i];
      // Empty where this worker came too late for a batch.
      if (sum && sum.length > 0) this.#drained.set(id, [...(this.#drained.get(id) ?? []), sum]);
    });
  }
}

/** A point that everybody passes when everybody has reached it. */
class Barrier {
  readonly #waiting: (() => void)[] = [];

  reach(everybody: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === everybody) for (const go of this.#waiting) go();
    });
  }
}

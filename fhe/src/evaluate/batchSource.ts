import { type BatchBlobs } from './evaluator.js';

/** A stream of batches that several readers share: each batch goes to one of them. */
export class BatchSource {
  readonly #iterator: AsyncIterator<BatchBlobs> | Iterator<BatchBlobs>;
  #reading: Promise<unknown> = Promise.resolve();
  #ended = false;
  /** Batches that were read. */
  count = 0;

  constructor(batches: Iterable<BatchBlobs> | AsyncIterable<BatchBlobs>) {
    this.#iterator =
      Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
  }

  /** The next batch and its number, counted from 1; undefined after the last. */
  next(): Promise<{ batch: BatchBlobs; number: number } | undefined> {
    const read = async (): Promise<{ batch: BatchBlobs; number: number } | undefined> => {
      if (this.#ended) return undefined;
      const result = await this.#iterator.next();
      if (!result.done) return { batch: result.value, number: ++this.count };
      this.#ended = true;
      return undefined;
    };
    const next = this.#reading.then(read, read);
    this.#reading = next;
    return next;
  }

  /** Ends the stream early. Does not wait: a stream that gives nothing may not end either. */
  close(): void {
    this.#ended = true;
    void Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
  }
}

import { type BatchOptions } from '../embedded-options.js';

/** A message with the size that counts for Fabric's rules: payload and signature. */
export interface Sized {
  readonly size: number;
}

/** Groups messages into batches by number and size (orderer/common/blockcutter). Time is the caller's business. */
export class BlockCutter<T extends Sized> {
  #pending: T[] = [];
  #pendingBytes = 0;

  constructor(private readonly options: Pick<BatchOptions, 'maxMessageCount' | 'preferredMaxBytes'>) {}

  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** @returns the batches that the message completes, in order: none, one or two */
  add(message: T): T[][] {
    const batches: T[][] = [];
    const { maxMessageCount, preferredMaxBytes } = this.options;
    if (message.size > preferredMaxBytes) {
      if (this.pending) batches.push(this.cut());
      batches.push([message]);
      return batches;
    }
    if (this.#pendingBytes + message.size > preferredMaxBytes) batches.push(this.cut());
    this.#pending.push(message);
    this.#pendingBytes += message.size;
    if (this.#pending.length >= maxMessageCount) batches.push(this.cut());
    return batches;
  }

  /** What is waiting, as a batch. */
  cut(): T[] {
    const batch = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    return batch;
  }
}

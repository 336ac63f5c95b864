import { Code, type ValidationCode } from '../protos/transaction.js';
import { type CommittedBlock } from './committed-block.js';

export interface TransactionStatus {
  readonly code: ValidationCode;
  readonly block: number;
}

/** Who waits for blocks and transactions of one ledger, and how far it has told of them. */
export class Announcements {
  readonly #heightWaiters = new Set<() => void>();
  readonly #statusWaiters = new Map<string, Set<(status: TransactionStatus) => void>>();
  #closed = false;

  constructor(private announced: number) {}

  /** Blocks that everyone may know of. */
  get height(): number {
    return this.announced;
  }

  set height(height: number) {
    this.announced = height;
  }

  /** Wakes everyone who waits for the block or one of its transactions. */
  announce({ block, transactions, codes }: CommittedBlock): void {
    this.announced = block.header.number + 1;
    transactions.forEach(({ txId }, index) => {
      const waiters = this.#statusWaiters.get(txId);
      if (!waiters) return;
      const status = { code: codes[index] ?? Code.INVALID_OTHER_REASON, block: block.header.number };
      for (const finish of waiters) finish(status);
    });
    for (const wake of [...this.#heightWaiters]) wake();
  }

  /** Waits for the block of that number; false if the signal or the end of the ledger came first. */
  async block(number: number, signal: AbortSignal): Promise<boolean> {
    while (number >= this.announced) {
      if (signal.aborted || this.#closed) return false;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#heightWaiters.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#heightWaiters.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
    return !signal.aborted;
  }

  /** Waits until the transaction is announced; undefined if the signal ends the wait. */
  transaction(txId: string, signal: AbortSignal): Promise<TransactionStatus | undefined> {
    return new Promise((resolve) => {
      const waiters = this.#statusWaiters.get(txId) ?? new Set();
      this.#statusWaiters.set(txId, waiters);
      const finish = (status?: TransactionStatus): void => {
        waiters.delete(finish);
        if (waiters.size === 0) this.#statusWaiters.delete(txId);
        signal.removeEventListener('abort', abort);
        resolve(status);
      };
      const abort = (): void => finish();
      waiters.add(finish);
      if (signal.aborted) finish();
      else signal.addEventListener('abort', abort);
    });
  }

  /** Ends the waits for blocks. */
  close(): void {
    this.#closed = true;
    for (const wake of [...this.#heightWaiters]) wake();
  }
}

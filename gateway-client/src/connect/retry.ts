import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from '../errors.js';
import { LedgerError } from './ledger-error.js';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;

/** When to give up. */
export interface RetryOptions {
  /** All attempts and waits together. */
  totalMs: number;
  signal?: AbortSignal;
}

/**
 * Runs `work` again while it fails with an error that says a new attempt is safe, with waits that double and are
 * spread at random, so that two who collided do not collide again.
 *
 * @param work - one attempt; it receives the milliseconds that are left.
 * @throws the last error, once the time is over; ClientError `CANCELLED` when the signal says so.
 */
export async function withRetries<T>(
  work: (remainingMs: number) => Promise<T>,
  { totalMs, signal }: RetryOptions,
): Promise<T> {
  const end = Date.now() + totalMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    throwIfCancelled(signal);
    try {
      return await work(end - Date.now());
    } catch (error) {
      const pause = wait * (0.5 + Math.random());
      if (!(error instanceof LedgerError && error.details.safeToRetry)) throw error;
      const { patienceMs = totalMs } = error.details;
      if (Date.now() + pause >= Math.min(end, end - totalMs + patienceMs)) throw error;
      await pauseFor(pause, signal);
    }
  }
}

/**
 * Waits.
 *
 * @throws ClientError `CANCELLED` as soon as the signal is aborted.
 */
export async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => throwIfCancelled(signal));
}

/** @throws ClientError `CANCELLED` when the signal is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new ClientError('CANCELLED', 'The work was cancelled.', { cause: signal.reason });
  }
}

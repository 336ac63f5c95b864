import type { LedgerEvent, LedgerEvents } from './events.js';
import { throwIfCancelled } from './retry.js';
import { Wake } from './wake.js';

/** Looks again after this long even without an event: deadlines pass without one. */
const IDLE_MS = 5_000;

/**
 * Waits until the ledger gives an answer: asks at once, when the events begin, and then after every event.
 *
 * @param ask - resolves to undefined as long as there is none.
 * @throws ClientError `CANCELLED`; whatever `ask` throws.
 */
export async function untilDefined<T>(
  events: LedgerEvents,
  signal: AbortSignal,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const wake = new Wake();
  const watching = callAtEvents(
    events,
    () => wake.call(),
    either,
    () => wake.call(),
  );
  try {
    for (;;) {
      throwIfCancelled(signal);
      const answer = await ask();
      if (answer !== undefined) return answer;
      await wake.next(IDLE_MS, either);
    }
  } finally {
    ending.abort();
    await watching;
  }
}

/** Calls back at every event, until the signal is aborted. */
export async function callAtEvents(
  events: LedgerEvents,
  onEvent: (event: LedgerEvent) => void,
  signal: AbortSignal,
  onBegin?: () => void,
): Promise<void> {
  for await (const event of events(signal, onBegin)) onEvent(event);
}

import { Wake } from './wake.js';

const never = new AbortController().signal;

test('a call before the wait is not lost, and counts once', async () => {
  const wake = new Wake();
  wake.call();
  wake.call();
  await wake.next(60_000, never);
  const waiting = wake.next(60_000, never);
  wake.call();
  await expect(waiting).resolves.toBeUndefined();
});

test('the idle time and the signal end the wait', async () => {
  const wake = new Wake();
  await wake.next(5, never);
  const controller = new AbortController();
  const waiting = wake.next(60_000, controller.signal);
  controller.abort();
  await waiting;
  expect(controller.signal.aborted).toBe(true);
});

import type { GatewayPeers } from './peers.js';
import { eventsOf } from './events.js';
import { untilDefined } from './until.js';

test('an answer that is there at once ends the wait, although its stream of events opens only after that', async () => {
  let open: (() => void) | undefined;
  const opening = new Promise<void>((resolve) => (open = resolve));
  let isClosed = false;
  let close: (() => void) | undefined;
  const closed = new Promise<void>((resolve) => (close = resolve));
  /** A quiet ledger: its stream ends when it is closed, and not before. */
  const stream = {
    close: () => {
      isClosed = true;
      close?.();
    },
    [Symbol.asyncIterator]: () => ({
      next: () => closed.then(() => ({ done: true as const, value: undefined })),
    }),
  };
  const getChaincodeEvents = () => opening.then(() => stream);
  const peers = {
    choose: () => ({ gateway: { getNetwork: () => ({ getChaincodeEvents }) } }),
    avoid: () => undefined,
  } as unknown as GatewayPeers;
  const answer = untilDefined(
    (signal) => eventsOf(peers, { channel: 'consortium', chaincode: 'consortium', from: 0n }, signal),
    new AbortController().signal,
    async () => 'released',
  );
  await new Promise(setImmediate);
  open?.();
  await expect(answer).resolves.toBe('released');
  expect(isClosed).toBe(true);
});

import type { GatewayPeers } from './peers.js';
import { eventsOf } from './events.js';
import { untilDefined } from './until.js';

test('an answer that is there at once ends the wait, although its stream of events opens only after that', async () => {
  let open: (() => void) | undefined;
  const opening = new Promise<void>((resolve) => (open = resolve));
  let isClosed = false;
  let close: (() => void) | undefined;
  const closed = new Promise<void>((resolve) => (close = resolve));
  let isRead = false;
  let isClosedUnread = false;
  /** A quiet ledger: its stream ends when it is closed, and not before; with an error, which only a reader handles. */
  const stream = {
    close: () => {
      isClosed = true;
      isClosedUnread ||= !isRead;
      close?.();
    },
    [Symbol.asyncIterator]: () => ({
      next: () => {
        isRead = true;
        return closed.then(() => Promise.reject(new Error('1 CANCELLED: Cancelled on client')));
      },
    }),
  };
  const getChaincodeEvents = () => opening.then(() => stream);
  let isAvoided = false;
  const peers = {
    choose: () => ({ gateway: { getNetwork: () => ({ getChaincodeEvents }) } }),
    avoid: () => (isAvoided = true),
  } as unknown as GatewayPeers;
  const answer = untilDefined(
    (signal) => eventsOf(peers, { channel: 'consortium', chaincode: 'consortium', from: 0n }, signal),
    new AbortController().signal,
    async () => 'released',
  );
  await new Promise(setImmediate);
  open?.();
  await expect(answer).resolves.toBe('released');
  expect({ isClosed, isClosedUnread }).toEqual({ isClosed: true, isClosedUnread: false });
  // The peer did nothing wrong.
  expect(isAvoided).toBe(false);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { checkpointers, type ChaincodeEvent, type CloseableAsyncIterable } from '@hyperledger/fabric-gateway';
import type { GatewayPeers } from './peers.js';

/** An event that a contract's transaction left in a block. */
export interface LedgerEvent {
  /** `Contract:Transaction`. */
  name: string;
  /** JSON of ids and states. */
  payload: string;
  transactionId: string;
  blockNumber: bigint;
}

/** The events of one chaincode until the signal is aborted; it reconnects by itself and leaves none out. */
export type LedgerEvents = (signal: AbortSignal) => AsyncIterable<LedgerEvent>;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Streams events from a block on. Where a peer goes away it goes on behind the last one handed out, at the next peer:
 * block numbers and transaction ids are the same everywhere.
 */
export async function* eventsOf(
  peers: GatewayPeers,
  { channel, chaincode, from }: { channel: string; chaincode: string; from: bigint },
  signal: AbortSignal,
): AsyncGenerator<LedgerEvent> {
  const checkpoint = checkpointers.inMemory();
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const peer = peers.choose(channel);
    let stream: CloseableAsyncIterable<ChaincodeEvent> | undefined;
    const close = (): void => stream?.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const network = peer.gateway.getNetwork(channel);
      stream = await network.getChaincodeEvents(chaincode, { checkpoint, startBlock: from });
      // While it was being opened there was nothing to close. Its reader comes first: an end before is nobody's error.
      if (signal.aborted) setImmediate(close);
      for await (const event of stream) {
        wait = FIRST_WAIT_MS;
        yield toEvent(event);
        await checkpoint.checkpointChaincodeEvent(event);
      }
    } catch {
      // The peer went away, or the signal closed the stream.
      if (!signal.aborted) peers.avoid(channel, peer);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }
}

function toEvent({ eventName, payload, transactionId, blockNumber }: ChaincodeEvent): LedgerEvent {
  return { name: eventName, payload: Buffer.from(payload).toString('utf8'), transactionId, blockNumber };
}

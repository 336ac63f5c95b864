import { setTimeout as sleep } from 'node:timers/promises';
import { checkpointers, type ChaincodeEvent, type Network } from '@hyperledger/fabric-gateway';

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

/** Streams events from a block on, resuming behind the last one handed out whenever the peer goes away. */
export async function* eventsOf(
  network: Network,
  chaincode: string,
  from: bigint,
  signal: AbortSignal,
): AsyncGenerator<LedgerEvent> {
  const checkpoint = checkpointers.inMemory();
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const stream = await network.getChaincodeEvents(chaincode, { checkpoint, startBlock: from });
    const close = (): void => stream.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      for await (const event of stream) {
        wait = FIRST_WAIT_MS;
        yield toEvent(event);
        await checkpoint.checkpointChaincodeEvent(event);
      }
    } catch {
      // The peer went away, or the signal closed the stream.
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

import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkpointers,
  type ChaincodeEvent,
  type Checkpoint,
  type CloseableAsyncIterable,
  type Network,
} from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { ClientError } from '../errors.js';
import { FileCheckpoint } from './file-checkpoint.js';
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

/**
 * The events of one chaincode until the signal is aborted; it reconnects by itself and leaves none out.
 *
 * @param onBegin - called once it is known where the stream begins: what is read of the ledger after that, and the
 *   stream, miss nothing between them.
 */
export type LedgerEvents = (signal: AbortSignal, onBegin?: () => void) => AsyncIterable<LedgerEvent>;

/** Where a stream of events begins. */
export interface EventOptions {
  /** First block, 0 by default; `now`: the one that comes next, for whoever reads the state and then follows it. */
  from?: bigint | 'now';
  /**
   * Where what was handled is noted: the path of a file, or whatever keeps it elsewhere. A program that is started
   * again goes on behind the last event whose handling it had finished, so that each is handled at least once.
   */
  checkpoint?: string | EventCheckpoint;
}

/** Keeps how far the events of one chaincode were handled. */
export interface EventCheckpoint extends Checkpoint {
  /** Called once an event is handled: when the next one is asked for. */
  checkpointChaincodeEvent(event: Pick<ChaincodeEvent, 'blockNumber' | 'transactionId'>): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Streams events from a block on. Where a peer goes away it goes on behind the last one handed out, at the next peer:
 * block numbers and transaction ids are the same everywhere.
 */
export async function* eventsOf(
  peers: GatewayPeers,
  { channel, chaincode, from = 0n, checkpoint: given }: { channel: string; chaincode: string } & EventOptions,
  signal: AbortSignal,
  onBegin: () => void = () => undefined,
): AsyncGenerator<LedgerEvent> {
  const checkpoint =
    typeof given === 'string' ? await FileCheckpoint.open(given) : (given ?? checkpointers.inMemory());
  let startBlock = from === 'now' ? undefined : from;
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const peer = peers.choose(channel);
    let stream: CloseableAsyncIterable<ChaincodeEvent> | undefined;
    const close = (): void => stream?.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const network = peer.gateway.getNetwork(channel);
      const begins = startBlock === undefined;
      startBlock ??= await heightOf(network, channel);
      if (begins) onBegin();
      stream = await network.getChaincodeEvents(chaincode, { checkpoint, startBlock });
      // While it was being opened there was nothing to close. Its reader comes first: an end before is nobody's error.
      if (signal.aborted) setImmediate(close);
      for await (const event of stream) {
        wait = FIRST_WAIT_MS;
        yield toEvent(event);
        await noted(checkpoint, event);
        // Events that came along with it wait in the stream.
        if (signal.aborted) return;
      }
    } catch (error) {
      if (error instanceof ClientError) throw error;
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

/** How many blocks the channel has: the number of the next one. */
async function heightOf(network: Network, channel: string): Promise<bigint> {
  const answer = await network.getContract('qscc').evaluateTransaction('GetChainInfo', channel);
  return BigInt(common.BlockchainInfo.deserializeBinary(answer).getHeight());
}

/** Going on without a note would hand the same events out for ever. */
async function noted(checkpoint: EventCheckpoint, event: ChaincodeEvent): Promise<void> {
  try {
    await checkpoint.checkpointChaincodeEvent(event);
  } catch (cause) {
    throw new ClientError('CHECKPOINT_INVALID', 'How far the events were handled could not be noted.', {
      cause,
    });
  }
}

function toEvent({ eventName, payload, transactionId, blockNumber }: ChaincodeEvent): LedgerEvent {
  return { name: eventName, payload: Buffer.from(payload).toString('utf8'), transactionId, blockNumber };
}

import type { CloseableAsyncIterable } from '@hyperledger/fabric-gateway';
import type { common } from '@hyperledger/fabric-protos';
import type { Bed } from './bed.js';

/** The next messages of a stream of events, which is closed then. */
export async function take<T>(blocks: CloseableAsyncIterable<T>, count: number): Promise<T[]> {
  const seen: T[] = [];
  try {
    for await (const block of blocks) {
      seen.push(block);
      if (seen.length === count) break;
    }
  } finally {
    blocks.close();
  }
  return seen;
}

/** Commits a transaction and tells where it is. */
export async function commitOne(bed: Bed): Promise<{ block: bigint; txId: string }> {
  const commit = await bed.contract().submitAsync('put', { arguments: [bed.unique('block'), 'x'] });
  return { block: (await commit.getStatus()).blockNumber, txId: commit.getTransactionId() };
}

/** Blocks of the shared channel, from the first one named on. */
export async function blocksFrom(bed: Bed, startBlock: bigint, count: number): Promise<common.Block[]> {
  return take(await bed.network().getBlockEvents({ startBlock }), count);
}

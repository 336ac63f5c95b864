import {
  encodeHeader,
  expectedHashes,
  medianTime,
  minerId,
  parseCompact,
  powState,
  targetValue,
} from '@strokeshare/chaincode';
import type { Sealer } from '../sealer.js';
import type { MiningPool } from './pool.js';
import { targetBytes } from './search.js';

/** Proof of work by the threads of a pool. */
export function powSealer(pool: MiningPool): Sealer {
  return {
    name: 'pow',
    build({ tip, merkleRoot, mspId }, { signal, onProgress }) {
      const state = powState.parse(tip.state);
      const target = targetValue(state.target);
      const notBefore = medianTime(state.times) + 1;
      const header = encodeHeader({
        version: 1,
        height: tip.height + 1,
        previous: tip.hash,
        merkleRoot,
        miner: minerId(mspId),
        timestamp: notBefore,
        target: parseCompact(state.target),
        nonce: 0n,
      });
      return pool.find({
        header,
        target: targetBytes(target),
        notBefore,
        signal,
        onProgress: (hashes, hashesPerSecond) =>
          onProgress?.({ hashes, hashesPerSecond, expectedHashes: expectedHashes(target) }),
      });
    },
  };
}

import { formatCompact, targetOf } from '@strokeshare/chaincode';
import { blocksOf, staleExpected } from '../../simulator/mining.js';
import { randomStream } from '../../simulator/random.js';
import { type Summary, summarize } from '../../statistics/summary.js';

/** What the simulator is told of a network. */
export interface Assumptions {
  readonly institutions: number;
  readonly miners: number;
  /** Of all miners together. */
  readonly hashesPerSecond: number;
  readonly blockHashes: number;
  /** One batch alone, from asking to its commit. */
  readonly shareMs: number;
  /** From a find to its block's commit. */
  readonly sealMs: number;
  /** From a commit until the miners know of it. */
  readonly learnMs: number;
}

export interface Prediction {
  /** Milliseconds from asking to the commit of the block that seals the batch. */
  readonly shared: Summary;
  /** Stale blocks per block: simulated, and by the propagation formula. */
  readonly stale: number;
  readonly staleFormula: number;
}

const BLOCKS = 600;
export const SEED = 20_261_122;

/** Sharing under proof of work in virtual time: batches are asked for at random instants while miners work. */
export function predict(assumptions: Assumptions): Prediction {
  const { miners, hashesPerSecond, blockHashes, shareMs, sealMs, learnMs } = assumptions;
  const random = randomStream(SEED + assumptions.institutions);
  const powers = Array.from({ length: miners }, () => hashesPerSecond / miners);
  const target = formatCompact(targetOf(blockHashes));
  const parameters = {
    intervalMs: 1000,
    windowBlocks: 2016,
    target,
    easiestTarget: target,
    hardestTarget: formatCompact(targetOf(2 ** 80)),
    futureMs: 60_000,
  };
  const blocks = blocksOf({ miners: powers, parameters, commitMs: sealMs, learnMs, random }, BLOCKS);
  const end = blocks.at(-1)?.committed ?? 0;
  const times = Array.from({ length: BLOCKS }, () => {
    const entered = random.uniform() * end * 0.9 + shareMs;
    // Mining has no memory: an entry joins the work that is going on.
    const block = blocks.find(({ found }) => found > entered + learnMs);
    return (block?.committed ?? end) - entered + shareMs;
  });
  return {
    shared: summarize(times),
    stale: blocks.reduce((sum, { stale }) => sum + stale, 0) / BLOCKS,
    staleFormula: staleExpected(powers, blockHashes, sealMs + learnMs),
  };
}

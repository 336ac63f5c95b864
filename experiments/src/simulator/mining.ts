/**
 * Mining in virtual time: the rules of targets and timestamps are the contract's own code, the hashes are drawn from
 * their exponential law, and a find is known to the others only after a delay.
 */
import {
  advance,
  expectedHashes,
  powParameters,
  type PowParameters,
  type PowState,
  targetValue,
} from '@strokeshare/chaincode';
import type { RandomStream } from './random.js';

export interface MiningWorld {
  /** Hashes per second of every miner. */
  readonly miners: readonly number[];
  readonly parameters: PowParameters;
  /** From a find to its commit. */
  readonly commitMs: number;
  /** From the commit until the other miners know. */
  readonly learnMs: number;
  readonly random: RandomStream;
  /** By how much all miners' power is multiplied at a height; 1 by default. */
  readonly powerAt?: (height: number) => number;
}

export interface SimulatedBlock {
  readonly height: number;
  /** Virtual milliseconds. */
  readonly found: number;
  readonly committed: number;
  /** Index of the winner. */
  readonly miner: number;
  /** How many others found a block on the same tip before they knew of this one. */
  readonly stale: number;
  /** Hashes that this block took on average. */
  readonly work: number;
}

/** Blocks without end. */
export function* simulateMining(world: MiningWorld): Generator<SimulatedBlock, never> {
  const { commitMs, learnMs, random } = world;
  const parameters = powParameters.parse(world.parameters);
  const powers = Float64Array.from(world.miners);
  const finds = new Float64Array(powers.length);
  let state: PowState = { target: parameters.target, times: [0], windowStart: 0 };
  let before = { miner: -1, committed: 0 };
  for (let height = 1; ; height++) {
    const work = expectedHashes(targetValue(state.target));
    const factor = world.powerAt?.(height) ?? 1;
    let miner = 0;
    for (let i = 0; i < powers.length; i++) {
      const start = before.committed + (i === before.miner ? 0 : learnMs);
      finds[i] = start + random.exponential((1000 * work) / (factor * (powers[i] ?? 0)));
      if ((finds[i] ?? 0) < (finds[miner] ?? 0)) miner = i;
    }
    const found = finds[miner] ?? 0;
    const committed = found + commitMs;
    const stale = finds.reduce((sum, find, i) => sum + Number(i !== miner && find < committed + learnMs), 0);
    state = advance(state, height, Math.ceil(found), parameters);
    before = { miner, committed };
    yield { height, found, committed, miner, stale, work };
  }
}

/**
 * Stale blocks per block by the propagation formula: each other miner finds one within the time that it does not know
 * of the block, with probability 1 - exp(-delay / its own mean time); averaged over who wins.
 */
export function staleExpected(powers: readonly number[], work: number, delayMs: number): number {
  const total = powers.reduce((sum, power) => sum + power, 0);
  const own = powers.map((power) => 1 - Math.exp((-power * delayMs) / (1000 * work)));
  const all = own.reduce((sum, chance) => sum + chance, 0);
  return powers.reduce((sum, power, i) => sum + (power / total) * (all - (own[i] ?? 0)), 0);
}

/** The first so many blocks. */
export function blocksOf(world: MiningWorld, count: number): SimulatedBlock[] {
  const blocks: SimulatedBlock[] = [];
  for (const block of simulateMining(world)) {
    blocks.push(block);
    if (blocks.length === count) break;
  }
  return blocks;
}

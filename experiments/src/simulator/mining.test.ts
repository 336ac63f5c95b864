import kstest from '@stdlib/stats-kstest';
import {
  encodeHeader,
  formatCompact,
  minerId,
  type PowParameters,
  targetOf,
  targetValue,
} from '@strokeshare/chaincode';
import { search, targetBytes } from '@strokeshare/gateway-client';
import { blocksOf, type MiningWorld, simulateMining, staleExpected } from './mining.js';
import { randomStream } from './random.js';

/** Beyond what a correct program shows in a lifetime of runs; the seeds are fixed all the same. */
const DEVIATIONS = 8;
const INTERVAL_MS = 1000;
const WINDOW = 16;
const compact = (hashes: number): string => formatCompact(targetOf(hashes));
const parameters: PowParameters = {
  intervalMs: INTERVAL_MS,
  windowBlocks: WINDOW,
  target: compact(1e6),
  easiestTarget: compact(16),
  hardestTarget: compact(1e12),
  futureMs: 60_000,
};
const world = (changes: Partial<MiningWorld> = {}): MiningWorld => ({
  miners: [1e6],
  parameters,
  commitMs: 0,
  learnMs: 0,
  random: randomStream(20_261_122),
  ...changes,
});
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

test('real hashes: the work for a block follows the exponential law (Kolmogorov-Smirnov at 1%)', () => {
  const expected = 64;
  const target = targetBytes(targetValue(compact(expected)));
  const random = randomStream(1);
  // What is between two hashes is drawn from the same law, so that the times are continuous.
  const rate = -Math.log1p(-1 / expected);
  const times: number[] = [];
  for (let height = 1; height <= 500; height++) {
    const header = Buffer.from(
      encodeHeader({
        version: 1,
        height,
        previous: minerId('previous'),
        merkleRoot: minerId('root'),
        miner: minerId('Hospital1MSP'),
        timestamp: 1_795_348_800_000,
        target: targetOf(expected),
        nonce: 20_261_122n,
      }),
    );
    const { tried, found } = search(header, target, 1e6);
    expect(found).toBe(true);
    times.push(tried - 1 - Math.log1p(-random.uniform() / expected) / rate);
  }
  expect(kstest(times, 'exponential', rate, { alpha: 0.01 }).rejected).toBe(false);
  // The test can tell: a target that is half as hard again as stated does not pass.
  expect(kstest(times, 'exponential', rate / 1.5, { alpha: 0.01 }).rejected).toBe(true);
});

test.each([10, 0.1])(
  'after a change of hash power by %f the interval comes back to the set one',
  (factor) => {
    const windows = 250;
    const change = 20 * WINDOW;
    const blocks = blocksOf(world({ powerAt: (height) => (height > change ? factor : 1) }), windows * WINDOW);
    const spans = (from: number, to: number): number[] =>
      blocks.slice(from, to).map(({ found }, i) => found - (blocks[from + i - 1]?.found ?? 0));
    // The window after the change still has the old target: it is as much too fast or too slow.
    const first = mean(spans(change, change + WINDOW)) / INTERVAL_MS;
    expect(Math.abs(first * factor - 1)).toBeLessThan(1);
    // Bounded steps of 4: after two windows nothing is left of a factor of 10 but chance.
    const settled = mean(spans(change + 3 * WINDOW, blocks.length)) / INTERVAL_MS;
    // A window takes (n-1) G/G' intervals with two gamma variates of order n: the second moment gives this deviation.
    const n = WINDOW;
    const perWindow = Math.sqrt(((n - 1) * n * (n + 1)) / (n - 2) - n * n) / n;
    const deviation = perWindow / Math.sqrt((blocks.length - change - 3 * WINDOW) / WINDOW);
    expect(Math.abs(settled - 1)).toBeLessThan(DEVIATIONS * deviation);
  },
);

test('the share of blocks follows the share of hash power', () => {
  const powers = [1e5, 2e5, 3e5, 4e5];
  const count = 10_000;
  const blocks = blocksOf(world({ miners: powers }), count);
  for (const [i, power] of powers.entries()) {
    const share = power / 1e6;
    const won = blocks.filter(({ miner }) => miner === i).length / count;
    expect(Math.abs(won - share)).toBeLessThan(DEVIATIONS * Math.sqrt((share * (1 - share)) / count));
  }
});

test.each([
  [2, 50],
  [8, 200],
  [100, 200],
  [1000, 500],
])(
  '%i miners, %i ms until the others know: stale blocks as the propagation formula says',
  (miners, delay) => {
    const powers = Array.from({ length: miners }, () => 1e6 / miners);
    const fixed = { ...parameters, windowBlocks: 2016 };
    const count = 2000;
    const delays = { commitMs: delay / 2, learnMs: delay / 2 };
    const blocks = blocksOf(world({ miners: powers, parameters: fixed, ...delays }), count);
    const { work } = blocks[0] ?? { work: 0 };
    const expected = staleExpected(powers, work, delay);
    // A sum of independent chances: its variance is at most its mean.
    const measured = mean(blocks.map(({ stale }) => stale));
    expect(Math.abs(measured - expected)).toBeLessThan(DEVIATIONS * Math.sqrt(expected / count));
  },
);

test('a seed decides a run, and another seed another', () => {
  const run = (seed: number) => blocksOf(world({ random: randomStream(seed) }), 5);
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
  expect(simulateMining(world()).next().done).toBe(false);
});

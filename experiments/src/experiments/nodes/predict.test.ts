import { predict } from './predict.js';

const assumptions = {
  institutions: 4,
  miners: 4,
  hashesPerSecond: 1e6,
  blockHashes: 1e6,
  shareMs: 100,
  sealMs: 0,
  learnMs: 0,
};

test('without delays a batch waits as long as a block takes, whenever it comes', () => {
  const { shared, stale } = predict(assumptions);
  // The median of an exponential wait of 1000 ms; 600 arrivals share 600 blocks, so half of them count as independent.
  expect(Math.abs(shared.median - (100 + 1000 * Math.LN2))).toBeLessThan((8 * 1000) / Math.sqrt(300));
  expect(stale).toBe(0);
});

test('more institutions waste more work while they do not know of a block', () => {
  const at = (miners: number) => predict({ ...assumptions, miners, sealMs: 200, learnMs: 50 });
  expect(at(1).stale).toBe(0);
  expect(at(64).staleFormula).toBeGreaterThan(at(2).staleFormula);
  // What all others find in 250 ms, where a block takes 1000.
  expect(at(1000).staleFormula).toBeCloseTo(0.25, 2);
});

import { compactTarget, expandTarget, formatCompact } from './target.js';
import { advance, medianTime, type PowParameters, powParameters, retarget, targetValue } from './rules.js';

const text = (target: bigint): string => formatCompact(compactTarget(target));
const parameters: PowParameters = {
  intervalMs: 1000,
  windowBlocks: 8,
  target: text(1n << 240n),
  easiestTarget: text(1n << 252n),
  hardestTarget: text(1n << 200n),
  futureMs: 5000,
};
const after = (spanMs: number, before = 1n << 240n): bigint =>
  expandTarget(Number.parseInt(retarget(text(before), spanMs, parameters), 16))!;

test('a window at the set pace keeps the target, a faster one lowers it in proportion', () => {
  expect(after(7000)).toBe(1n << 240n);
  expect(after(3500)).toBe(1n << 239n);
});

test('one step is bounded, whatever the timestamps say', () => {
  expect(after(1)).toBe(1n << 238n);
  expect(after(-1_000_000)).toBe(1n << 238n);
  expect(after(10_000_000)).toBe(1n << 242n);
});

test('the target stays between its floor and its ceiling', () => {
  expect(after(10_000_000, 1n << 251n)).toBe(1n << 252n);
  expect(after(1, 1n << 201n)).toBe(1n << 200n);
});

test('windows share their border, so that no timestamp inside of one can stretch the next', () => {
  let state = { target: parameters.target, times: [0], windowStart: 0 };
  for (let height = 1; height <= 8; height++) state = advance(state, height, height * 1000, parameters);
  expect(state).toMatchObject({ windowStart: 8000, times: { length: 9 } });
  // 8 intervals where 7 are counted: 8/7 of the target, rounded down by the compact form.
  expect(targetValue(state.target) / (1n << 224n)).toBe((65_536n * 8n) / 7n);
});

test('the median of eleven ignores five timestamps that lie', () => {
  expect(medianTime([1, 2, 3, 4, 5, 6, 9e9, 9e9, 9e9, 9e9, 9e9])).toBe(6);
});

test('a first target outside of its bounds is refused', () => {
  expect(powParameters.safeParse(parameters).success).toBe(true);
  for (const target of [1n << 253n, 1n << 199n])
    expect(powParameters.safeParse({ ...parameters, target: text(target) }).success).toBe(false);
});

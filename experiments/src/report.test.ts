import { row, table } from './report.js';

test('a ratio above 1 means that ours is better, for times as for rates', () => {
  expect(row('time', 's', 2, 6, 'peer').ratio).toBe(3);
  expect(row('rate', '1/s', 6, 2, 'peer', 'higher').ratio).toBe(3);
  expect(row('time', 's', 6, 2, 'peer').ratio).toBeCloseTo(1 / 3);
});

test('a missing peer leaves the ratio empty and says why in the table', () => {
  const missing = row('time', 's', 2, null, 'python is not installed');
  expect(missing.ratio).toBeNull();
  expect(table([missing])).toContain('python is not installed');
});

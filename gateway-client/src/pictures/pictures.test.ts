import { forestPicture, histogramPicture, scalePicture, survivalPicture, toSvg } from './index.js';
import { kaplanMeier } from '../statistics/index.js';

/** The words of a picture, in its order. */
const words = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]+)<\/text>/g)].map(([, word = '']) => word);

test('survival curves show their groups, axes and numbers at risk', async () => {
  const points = [10, 20, 30].map((time) => ({ time, events: 7, censored: 3 }));
  const curves = ['severe', 'mild'].map((name, i) => {
    const patients = 100 + i;
    return { name, patients, steps: kaplanMeier({ patients, points }) };
  });
  const svg = await toSvg(survivalPicture(curves, { title: 'Survival', unit: 'days', group: 'Stroke' }));
  const found = words(svg);
  for (const word of ['Survival', 'Time (days)', 'Stroke', 'severe', 'mild', 'Patients at risk', '100%'])
    expect(found).toContain(word);
  // At the start, and behind each of the three intervals.
  for (const atRisk of ['100', '90', '80', '70', '101', '91', '81', '71']) expect(found).toContain(atRisk);
});

test('no number at risk stands behind the end of a curve, whichever is the first', async () => {
  const points = [10, 20, 30].map((time) => ({ time, events: 7, censored: 3 }));
  const long = { name: 'long', patients: 100, steps: kaplanMeier({ patients: 100, points }) };
  const short = { name: 'short', patients: 61, steps: kaplanMeier({ patients: 61, points }).slice(0, 1) };
  for (const curves of [
    [long, short],
    [short, long],
  ]) {
    const found = words(await toSvg(survivalPicture(curves, { title: 'a', unit: 'd' })));
    const numbers = found.filter((word) => ['100', '90', '80', '70', '61', '51'].includes(word));
    expect(numbers.sort()).toEqual(['100', '51', '61', '70', '80', '90']);
  }
});

test('a forest plot shows every estimate with its interval', async () => {
  const lines = [
    { name: 'One', estimate: 0.5, lower: 0.25, upper: 1, weight: 0.4 },
    { name: 'Pooled', estimate: 0.8, lower: 0.7, upper: 0.9, isPooled: true },
  ];
  const svg = await toSvg(
    forestPicture(lines, { title: 'Death', measure: 'Odds ratio', better: ['a', 'b'] }),
  );
  const found = words(svg);
  expect(found).toContain('0.50 (0.25 to 1.00)');
  expect(found).toContain('0.80 (0.70 to 0.90)');
  expect(found.some((word) => word.includes('Odds ratio') && word.includes('\u2190 a'))).toBe(true);
  const differences = await toSvg(
    forestPicture([{ name: 'x', estimate: 12, lower: -3, upper: 120 }], {
      title: 'Per 1000',
      measure: 'Difference',
      isRatio: false,
    }),
  );
  expect(words(differences)).toContain('12.0 (-3.00 to 120)');
});

test('a forest plot tells close bounds apart, shows small ones, and keeps lines of one name apart', async () => {
  const lines = [
    { name: 'Same', estimate: 0.999, lower: 0.998, upper: 1.0005 },
    { name: 'Same', estimate: 0.002, lower: 0.00001, upper: 180_000 },
  ];
  const found = words(await toSvg(forestPicture(lines, { title: 'a', measure: 'Odds ratio', level: 0.99 })));
  for (const word of ['0.9990 (0.9980 to 1.0005)', '0.0020 (1.0e-5 to 180000)', 'Odds ratio (99 % interval)'])
    expect(found).toContain(word);
  expect(found.filter((word) => word === 'Same')).toHaveLength(2);
  for (const tick of ['0.01', '1', '100']) expect(found).toContain(tick);
});

test('no name of a group is cut, and no two of ten groups have the same line', async () => {
  const steps = kaplanMeier({ patients: 90, points: [{ time: 1, events: 9, censored: 9 }] });
  const curves = Array.from({ length: 10 }, (_, i) => ({
    name: `A group whose name is much longer than a legend likes, ${i}`,
    patients: 90,
    steps,
  }));
  const svg = await toSvg(
    survivalPicture(curves, { title: 'a', unit: 'd', group: 'A long name of a variable' }),
  );
  // In the legend, and beside the numbers at risk.
  for (const { name } of curves) expect(words(svg).filter((word) => word === name)).toHaveLength(2);
  const lines = [...svg.matchAll(/<path[^>]*stroke="(#\w+)"[^>]*stroke-width="2"[^>]*>/g)].map(
    ([path, colour]) => `${colour} ${/stroke-dasharray="([^"]+)"/.exec(path)?.[1] ?? ''}`,
  );
  expect(new Set(lines).size).toBe(10);
});

test('a histogram of uneven bins compares areas and keeps the counts', async () => {
  const bins = [
    { lower: 0, upper: 40, count: 80 },
    { lower: 40, upper: 50, count: 20 },
  ];
  const found = words(await toSvg(histogramPicture(bins, { title: 'Age', axis: 'Age (a)' })));
  for (const word of ['80', '20', 'Patients per unit']) expect(found).toContain(word);
});

test('bars of a scale show shares that have room, a histogram its counts', async () => {
  const counts = [
    { group: 'aspirin', level: '0', count: 50 },
    { group: 'aspirin', level: '1', count: 49 },
    { group: 'aspirin', level: '6', count: 1 },
  ];
  const found = words(await toSvg(scalePicture(counts, { title: 'Rankin', scale: 'mRS' })));
  for (const word of ['aspirin', '50.0', '49.0', 'mRS', '6']) expect(found).toContain(word);
  expect(found).not.toContain('1.0');
  const bins = [
    { lower: 0, upper: 10, count: 3 },
    { lower: 10, upper: 20, count: 9 },
  ];
  const histogram = await toSvg(histogramPicture(bins, { title: 'Age', axis: 'Age (years)' }));
  expect(words(histogram)).toEqual(expect.arrayContaining(['Age', 'Age (years)', 'Patients']));
});

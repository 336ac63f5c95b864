import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, parsePlaintext, sha256Hex } from '../bytes/index.js';
import { parameterSet } from '../params/index.js';
import { SealContext } from '../seal/index.js';
import { CiphertextKernel } from './kernel.js';
import { encodePair } from './pair.js';

const vectors = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'test', 'vectors', 'pairs.json'), 'utf8'),
) as Record<string, { imaginaryUnits: string[]; words: string }>;

const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

test.each(Object.entries(vectors))('pairs of the %s set', async (name, vector) => {
  const set = parameterSet(name);
  const context = await SealContext.for(set);
  const kernel = new CiphertextKernel();
  // Multiples of 1/8: they and their sums are exact, but their encoding is not.
  const ramp = Float64Array.from({ length: set.slots }, (_, i) => ((i % 17) - 8) / 8);
  const other = ramp.map((value) => -value / 2);
  const zero = new Float64Array(set.slots);

  // The sign of the square root of -1: (0, y) decodes to zero, and (x, y) to x.
  using imaginary = encodePair(context, kernel, [zero, ramp], set.dataPrimes);
  expect(largest(context.decode(imaginary))).toBeLessThan(1e-9);
  using both = encodePair(context, kernel, [ramp, other], set.dataPrimes);
  expect(largest(context.decode(both).map((value, i) => value - ramp[i]!))).toBeLessThan(1e-9);

  expect(set.imaginaryUnits.map(String)).toEqual(vector.imaginaryUnits);
  expect(sha256Hex(bytesOf(parsePlaintext(both.save(), set).words))).toBe(vector.words);
});

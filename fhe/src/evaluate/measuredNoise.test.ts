/**
 * The noise that evaluated cells really carry, read with an ordinary key, against the bound that the plan states.
 * A cell's constant coefficient is N^-1 times the sum of its NTT values, so the noise of that coefficient is the same
 * sum of c0 + c1 s minus the exact product of the encoded columns, lifted from its residues.
 */
import { randomInt } from 'node:crypto';
import { decodeBlob, encodeBlob, parseCiphertext, parsePlaintext, wordsOf } from '../bytes/index.js';
import { parameterSet, type ParameterSet, type ParameterSetName } from '../params/index.js';
import { plan, type Plan, type PlanCell } from '../plan/index.js';
import { type Query } from '../query/index.js';
import { parseSchema } from '../schema/index.js';
import { generateLocalKeys, SealContext } from '../seal/index.js';
import { Evaluator } from './evaluator.js';

const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'X', kind: 'numeric', minimum: -1, maximum: 1 },
    { name: 'G', kind: 'boolean' },
  ],
});
const epochId = 'e';
/** Bytes before the words of a secret key. */
const secretKeyHeader = 88;

type Words = BigUint64Array;

const power = (base: bigint, exponent: bigint, modulus: bigint): bigint =>
  exponent === 0n
    ? 1n
    : (power((base * base) % modulus, exponent / 2n, modulus) * (exponent % 2n ? base : 1n)) % modulus;
const inverse = (a: bigint, prime: bigint) => power(a % prime, prime - 2n, prime);

/** The centred integer with these residues modulo the set's first primes. */
function lift(residues: readonly bigint[], set: ParameterSet): bigint {
  const primes = set.primes.slice(0, residues.length);
  const modulus = primes.reduce((a, b) => a * b);
  const value =
    residues.reduce((sum, residue, i) => {
      const rest = modulus / primes[i]!;
      return sum + residue * rest * inverse(rest, primes[i]!);
    }, 0n) % modulus;
  return 2n * value > modulus ? value - modulus : value;
}

/** Noise of a cell's constant coefficient, from its bytes, the secret and the encoded columns of every batch. */
function noiseOf(
  cell: PlanCell,
  blob: Uint8Array,
  secret: Words,
  batches: readonly ReadonlyMap<string, Words>[],
  set: ParameterSet,
): number {
  const degree = set.polyModulusDegree;
  const body = decodeBlob(blob, { kind: 'ciphertext', parameterSetId: set.id, epochId });
  const { words, primes } = parseCiphertext(body, set);
  const denominator = BigInt(cell.scale.denominator);
  const residues = set.primes.slice(0, primes).map((prime, j) => {
    let sum = 0n;
    for (let i = j * degree; i < (j + 1) * degree; i++) {
      let value = (words[i]! + words[primes * degree + i]! * secret[i]!) * denominator;
      for (const columns of batches)
        value -= cell.factors.reduce((product, name) => (product * columns.get(name)![i]!) % prime, 1n);
      sum += value % prime;
    }
    const residue = (sum * inverse(BigInt(degree), prime)) % prime;
    return (residue + prime) % prime;
  });
  // Scaled by what rescaling divided by, so that the difference is a whole number.
  return Number(lift(residues, set)) / Number(denominator);
}

const queryOf = (name: ParameterSetName): Query => ({
  version: 1,
  statistics:
    name === 'additive'
      ? [{ id: 'x', kind: 'mean', variable: 'X' }]
      : [
          { id: 'x', kind: 'variance', variable: 'X', by: ['G'] },
          { id: 'm', kind: 'mean', variable: 'X' },
        ],
});

test.each(['additive', 'standard', 'deep'] as const)(
  'noise measured under the %s set is below the stated bound and of the computed size',
  async (name) => {
    const set = parameterSet(name);
    const keys = await generateLocalKeys(set);
    const secret = wordsOf(keys.secretKey.subarray(secretKeyHeader));
    const context = await SealContext.for(set);
    await using evaluator = await Evaluator.create(set);
    const blob = (kind: 'publicKey' | 'relinKeys') =>
      encodeBlob({ kind, parameterSetId: set.id, epochId }, keys[kind]);
    await evaluator.loadPublicKey(epochId, blob('publicKey'));
    await evaluator.loadRelinKeys(epochId, blob('relinKeys'));

    const batches = 2;
    const made: Plan = plan(queryOf(name), [schema], set, {
      holders: 1,
      threshold: 1,
      institutions: 1,
      batches,
    });
    const ratios = new Map<number, number[]>();
    for (let round = 0; round < 4; round++) {
      // The worst case: every slot is 1 or -1.
      const values = Array.from({ length: batches }, () =>
        made.columns.map(() => Float64Array.from({ length: set.slots }, () => 2 * randomInt(2) - 1)),
      );
      const plain: Map<string, Words>[] = [];
      const encrypted: Map<string, Uint8Array>[] = [];
      for (const columns of values) {
        const blobs = await evaluator.encryptColumns(epochId, columns);
        encrypted.push(new Map(made.columns.map((column, i) => [column, blobs[i]!])));
        plain.push(
          new Map(
            made.columns.map((column, i) => {
              using encoded = context.encode(columns[i]!);
              return [column, parsePlaintext(encoded.save(), set).words];
            }),
          ),
        );
      }
      const cells = made.cells.map((cell) => cell.id);
      const partials = await evaluator.evaluate({ plan: made, cells, epochId, batches: encrypted });
      for (const cell of made.cells) {
        const noise = noiseOf(cell, partials.get(cell.id)!, secret, plain, set);
        const ratio = Math.abs(noise) / Number(cell.noiseBound);
        expect(ratio).toBeLessThan(1);
        const known = ratios.get(cell.factors.length) ?? [];
        ratios.set(cell.factors.length, [...known, ratio]);
      }
    }
    for (const [factors, list] of ratios) {
      const rms = Math.sqrt(list.reduce((sum, ratio) => sum + ratio ** 2, 0) / list.length);
      // B is 9.2 deviations of the worst case; independent factors give 0.7 of it. Wide, for the samples are few.
      const deviations = { factors, rms: rms * 9.2 };
      expect(deviations.rms).toBeGreaterThan(0.1);
      expect(deviations.rms).toBeLessThan(2.5);
    }
  },
  120_000,
);

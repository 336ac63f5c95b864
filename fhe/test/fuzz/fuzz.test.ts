/**
 * Mutated bytes of every kind that comes from others. A reading ends with an FheError or gives something whose bytes
 * are the input again; anything else is a defect. FUZZ_RUNS sets the number of inputs (`npm run fuzz -w fhe` for a
 * long run), FUZZ_SEED repeats one.
 */
import { randomInt } from 'node:crypto';
import { FheError, parameterSet, toHex } from '../../src/index.js';
import { Mutator } from './mutator.js';
import { type Target, targets } from './targets.js';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 101_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
/** A reading takes milliseconds; this is the bound on a hang, wide for a machine that is busy. */
const SLOWEST_MS = 10_000;
/** SEAL itself sees every so many of the accepted inputs. */
const USED = 8;

const set = parameterSet('toy');
const special = [...set.primes, BigInt(set.polyModulusDegree), 16n, 113n, 88n, 104n];

interface Tally {
  inputs: number;
  accepted: number;
  used: number;
  codes: Set<string>;
}

/** What is wrong with how the target reads one input, if anything is. */
async function faultOf(target: Target, bytes: Uint8Array, tally: Tally): Promise<string | undefined> {
  const start = performance.now();
  try {
    const again = await target.read(bytes);
    if (Buffer.compare(again, bytes) !== 0) return 'accepted, but its bytes are others';
    tally.accepted += 1;
    if (target.use && tally.accepted % USED === 0) {
      tally.used += 1;
      if (Buffer.compare(target.use(bytes), bytes) !== 0) return 'SEAL writes other bytes';
    }
  } catch (error) {
    if (!(error instanceof FheError)) return `failed with ${String(error)}`;
    if (error.code === 'SEAL_FAILED') return `accepted, but ${error.message}`;
    tally.codes.add(error.code);
  }
  return performance.now() - start > SLOWEST_MS ? 'took too long' : undefined;
}

test(
  `${RUNS} mutated inputs (seed ${SEED}) are refused, or read as what they are`,
  async () => {
    const mutator = new Mutator(SEED);
    const all = await targets(set);
    const others = all.flatMap(({ samples }) => samples);
    const shares = all.reduce((sum, { share }) => sum + share, 0);
    const tallies: Record<string, Tally> = {};
    const faults: string[] = [];
    for (const target of all) {
      const tally: Tally = { inputs: 0, accepted: 0, used: 0, codes: new Set() };
      for (const sample of target.samples) expect(await faultOf(target, sample, tally)).toBeUndefined();
      for (const inputs = Math.ceil((RUNS * target.share) / shares); tally.inputs < inputs; tally.inputs++) {
        const bytes = mutator.mutate(mutator.pick(target.samples), others, special);
        const fault = await faultOf(target, bytes, tally);
        if (fault)
          faults.push(`${target.name}, input ${tally.inputs}: ${fault}: ${toHex(bytes.subarray(0, 400))}`);
      }
      tallies[target.name] = tally;
    }
    expect({ seed: SEED, faults: faults.slice(0, 5) }).toEqual({ seed: SEED, faults: [] });
    expect(Object.values(tallies).reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThanOrEqual(RUNS);
    // The mutations reach both sides: most kinds have inputs that are refused, and inputs that are other values.
    for (const tally of Object.values(tallies)) expect(tally.codes.size).toBeGreaterThan(0);
    expect(tallies['ciphertext']?.used).toBeGreaterThan(0);
    expect(tallies['relinearisation key']?.accepted).toBeGreaterThan(1);
    expect(tallies['sealed message']?.accepted).toBeLessThan((tallies['sealed message']?.inputs ?? 0) / 10);
  },
  Math.max(300_000, RUNS * 5),
);

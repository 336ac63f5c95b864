/** What the attacks on releases share: an epoch of a real parameter set, exact values, and the way back from NTT form. */
import { epochId, reconstructSecret, runCeremony } from '../ceremonyFixture.js';
import { decodeBlob } from '../../src/bytes/blob.js';
import { parseCiphertext, parsePlaintext } from '../../src/bytes/seal.js';
import { type ParameterSet, parameterSet } from '../../src/params/parameterSet.js';
import { NoiseModel } from '../../src/plan/noise.js';
import { combineShares, liftCentred } from '../../src/release/combine.js';
import type { HolderKey } from '../../src/release/holderKey.js';
import { inverseModulo, modulo } from '../../src/release/rational.js';
import { lagrangeShare, sumOfC0 } from '../../src/release/share.js';
import { smallestRoot, transformSmall } from '../../src/ring/transform.js';
import { SealContext, type SealEncryptor } from '../../src/seal/context.js';

export interface Stage {
  readonly set: ParameterSet;
  readonly keys: readonly HolderKey[];
  readonly context: SealContext;
  readonly encryptor: SealEncryptor;
  /** Blob. */
  readonly relinKeys: Uint8Array;
  /** The flooding deviation of a freshly encrypted cell. */
  readonly sigma: bigint;
}

export async function stage(name: string, n: number, threshold: number): Promise<Stage> {
  const set = parameterSet(name);
  const { keys, publicKey, relinKeys } = await runCeremony(set, n, threshold);
  const context = await SealContext.for(set);
  using loaded = context.loadPublicKey(
    decodeBlob(publicKey, { kind: 'publicKey', parameterSetId: set.id, epochId }),
  );
  const model = new NoiseModel(set, n);
  const sigma = model.flooding(model.bound(model.fresh()));
  return { set, keys, context, encryptor: context.encryptor(loaded), relinKeys, sigma };
}

export const holder = ({ keys }: Stage, index: number): HolderKey => keys[index - 1] as HolderKey;

export interface Encrypted {
  readonly body: Uint8Array;
  /** The plaintext's constant coefficient, exactly. */
  readonly constant: bigint;
}

export function encrypt({ context, encryptor, set }: Stage, values: Float64Array): Encrypted {
  using plaintext = context.encode(values);
  using ciphertext = encryptor.encrypt(plaintext);
  const { words } = parsePlaintext(plaintext.save(), set);
  const moduli = set.primes.slice(0, set.dataPrimes);
  const residues = moduli.map((_, limb) => inverseTransform(set, words, limb)[0] as bigint);
  return { body: ciphertext.save(), constant: liftCentred(residues, moduli) };
}

export const column = (set: ParameterSet, seed: number): Float64Array =>
  Float64Array.from({ length: set.slots }, (_, i) => Math.sin(i * (seed + 1)));

/** lambda_k N^-1 <c1, s_k> with nothing to hide it: what an undefended holder starts from. */
export function bareShare(key: HolderKey, body: Uint8Array, committee: readonly number[]): bigint[] {
  const { words, primes } = parseCiphertext(body, key.set);
  return key.use(({ ring, share }) => {
    const c1 = ring.load(words.subarray(words.length / 2));
    const { index } = key;
    const values = lagrangeShare(ring, { c1, share, committee, index, primes, coefficient: 0 });
    ring.release(c1);
    return values;
  });
}

/** Words below the primes as the bytes of a share. */
export const shareBytes = (set: ParameterSet, values: readonly bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values, (value, i) => modulo(value, set.primes[i] as bigint)).buffer);

/** The decryption's constant coefficient, noise of the ciphertext included and no other. */
export function exactValue({ set, keys }: Stage, body: Uint8Array): bigint {
  const [first] = keys;
  const committee = keys.slice(0, first?.threshold ?? 0).map(({ index }) => index);
  const shares = new Map(
    committee.map((index) => [
      index,
      shareBytes(set, bareShare(keys[index - 1] as HolderKey, body, committee)),
    ]),
  );
  return combineShares(set, { c0: sumOfC0(body, set), shares });
}

/** The collective secret's coefficients, for comparison with what an attack read. */
export function secretCoefficients({ set, keys }: Stage): bigint[] {
  const committee = keys.slice(0, keys[0]?.threshold ?? 0);
  const prime = set.primes[0] as bigint;
  return inverseTransform(set, reconstructSecret(committee), 0).map((word) => centre(word, prime));
}

export const centre = (value: bigint, modulus: bigint): bigint => {
  const residue = modulo(value, modulus);
  return residue > modulus / 2n ? residue - modulus : residue;
};

/** Words of X^power, or of -X^(power + N) for a negative one, over the data primes. */
export function monomial(set: ParameterSet, power: number): BigUint64Array {
  const coefficients = new Int32Array(set.polyModulusDegree);
  if (power >= 0) coefficients[power] = 1;
  else coefficients[set.polyModulusDegree + power] = -1;
  return transformSmall(set, coefficients, set.dataPrimes);
}

/** Products point by point, in every limb. */
export function multiplyWords(set: ParameterSet, a: BigUint64Array, b: BigUint64Array): BigUint64Array {
  return a.map(
    (word, i) => (word * (b[i] as bigint)) % (set.primes[Math.floor(i / set.polyModulusDegree)] as bigint),
  );
}

const inversePowers = new Map<bigint, bigint[]>();

/** Coefficients modulo one prime of a polynomial in NTT form (Gentleman-Sande). */
export function inverseTransform(set: ParameterSet, words: BigUint64Array, limb: number): bigint[] {
  const degree = set.polyModulusDegree;
  const prime = set.primes[limb] as bigint;
  const values = Array.from(words.subarray(limb * degree, (limb + 1) * degree));
  let powers = inversePowers.get(prime);
  if (powers?.length !== degree) {
    const psi = inverseModulo(smallestRoot(prime, 2 * degree), prime);
    const bits = Math.log2(degree);
    powers = new Array<bigint>(degree);
    for (let i = 0, power = 1n; i < degree; i++, power = (power * psi) % prime) {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) reversed = (reversed << 1) | ((i >> bit) & 1);
      powers[reversed] = power;
    }
    inversePowers.set(prime, powers);
  }
  for (let groups = degree / 2, span = 1; groups >= 1; groups /= 2, span *= 2) {
    for (let group = 0; group < groups; group++) {
      const power = powers[groups + group] as bigint;
      for (let i = 2 * group * span; i < (2 * group + 1) * span; i++) {
        const [u, v] = [values[i] as bigint, values[i + span] as bigint];
        values[i] = (u + v) % prime;
        values[i + span] = modulo((u - v) * power, prime);
      }
    }
  }
  const scale = inverseModulo(BigInt(degree), prime);
  return values.map((value) => (value * scale) % prime);
}

/**
 * The arithmetic of one party's shares of the collective keys.
 *
 * Public key: b_i = -(a s_i) + e_i. Relinearisation key (Mouchet, Troncoso-Pastoriza, Bossuat, Hubaux, "Multiparty
 * Homomorphic Encryption from Ring-Learning-with-Errors", PoPETs 2021), for each part j with gadget w_j(s) =
 * (special prime) s in limb j and 0 elsewhere:
 * round 1: h0_ij = -(u_i a_j) + w_j(s_i) + e, h1_ij = s_i a_j + e';
 * round 2: k_ij = s_i h0_j + e'' + (u_i - s_i) h1_j + e'''.
 */
import type { ParameterSet } from '../params/parameterSet.js';
import type { Polynomial } from '../ring/ring.js';
import { publicKeyReference, relinReference } from './collectiveKeys.js';
import type { PartySecrets } from './secrets.js';

/** Lends the common polynomial of a label, which the seed fixes, to some work. */
export type WithReference = (label: string, work: (a: Polynomial) => void) => void;

/** b_i. */
export function publicKeyPolynomial(secrets: PartySecrets, withReference: WithReference): Polynomial {
  const { ring, secret } = secrets;
  const share = secrets.smallError();
  withReference(publicKeyReference, (a) => {
    const product = ring.zero();
    ring.multiply(product, a, secret);
    ring.subtract(share, share, product);
    ring.release(product);
  });
  return share;
}

/**
 * (h0_ij, h1_ij) for every part j.
 * @param mask u_i
 */
export function relin1Polynomials(
  { primes, dataPrimes }: ParameterSet,
  secrets: PartySecrets,
  mask: Polynomial,
  withReference: WithReference,
): Polynomial[] {
  const { ring, secret } = secrets;
  const special = primes[dataPrimes] as bigint;
  const payload: Polynomial[] = [];
  for (let j = 0; j < dataPrimes; j++) {
    const h0 = secrets.smallError();
    const h1 = secrets.smallError();
    withReference(relinReference(j), (a) => {
      const product = ring.zero();
      ring.multiply(product, a, mask);
      ring.subtract(h0, h0, product);
      ring.release(product);
      ring.multiplyAdd(h1, a, secret);
    });
    ring.scaleAddLimb(h0, secret, special % (primes[j] as bigint), j);
    payload.push(h0, h1);
  }
  return payload;
}

/**
 * k_ij for every part j.
 * @param mask u_i; it is erased
 * @param sums h0_j and h1_j of all members in turn, for every part j
 */
export function relin2Polynomials(
  secrets: PartySecrets,
  mask: Polynomial,
  sums: readonly BigUint64Array[],
): Polynomial[] {
  const { ring, secret } = secrets;
  ring.subtract(mask, mask, secret);
  const payload: Polynomial[] = [];
  for (let j = 0; 2 * j < sums.length; j++) {
    const k = secrets.smallError();
    secrets.addSmallError(k);
    const h0 = ring.load(sums[2 * j] as BigUint64Array);
    const h1 = ring.load(sums[2 * j + 1] as BigUint64Array);
    ring.multiplyAdd(k, secret, h0);
    ring.multiplyAdd(k, mask, h1);
    ring.release(h0, h1);
    payload.push(k);
  }
  ring.release(mask);
  return payload;
}

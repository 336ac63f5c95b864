/**
 * Parameter sets: validated once, frozen, and named by a hash over all of their content, which every key,
 * ciphertext and share carries. A user chooses a name and never types primes.
 */
import { canonicalJson, sha256Hex } from '../bytes/canonical.js';
import { FheError } from '../errors.js';
import { literals } from './sets.js';
import { maximumModulusBits, standardSecurity, type SecurityLevel } from './standard.js';

export type ParameterSetName = 'additive' | 'standard' | 'deep' | 'toy';

/** Noise flooding: statistical parameter s and log2 of the coefficients an epoch may release to one committee. */
export interface Smudging {
  readonly s: number;
  readonly tauLog2: number;
}

export interface ParameterSetLiteral {
  readonly name: ParameterSetName;
  /** Ring degree N. */
  readonly polyModulusDegree: number;
  /** Data primes, then the special prime of key switching. */
  readonly primes: readonly bigint[];
  /** X^(N/2) modulo each prime on the first half of SEAL's NTT order; its negative holds on the second half. */
  readonly imaginaryUnits: readonly bigint[];
  /** log2 of the encoding scale. */
  readonly scaleBits: number;
  /** Most levels of multiplication that a plan may use. */
  readonly depth: number;
  /** Security that the set claims, in bits (classical); 0 for a set that serves tests only. */
  readonly securityBits: SecurityLevel;
  readonly smudging: Smudging;
  /** True for a set without security, which networks, loaders and contracts refuse. */
  readonly isTestOnly: boolean;
}

export interface ParameterSet extends ParameterSetLiteral {
  /** Hex SHA-256 of the canonical JSON (RFC 8785) of all the content above, numbers beyond 2^53 as strings. */
  readonly id: string;
  /** Values in a ciphertext, N/2. */
  readonly slots: number;
  readonly dataPrimes: number;
  /** The level that the 2018 standard's table gives this degree and modulus. */
  readonly standardSecurityBits: SecurityLevel;
}

/** Bits of every prime: the arithmetic kernel and the capacity formulas rely on primes in (2^59, 2^60). */
const primeBits = 60;

function invalid(literal: ParameterSetLiteral, what: string): FheError {
  return new FheError('PARAMETER_SET_INVALID', `Parameter set '${literal.name}': ${what}.`);
}

/** Checks a literal and completes it; throws PARAMETER_SET_INVALID. */
export function validateParameterSet(literal: ParameterSetLiteral): ParameterSet {
  const { polyModulusDegree: degree, primes, imaginaryUnits } = literal;
  if (!Number.isInteger(Math.log2(degree)) || degree < 2)
    throw invalid(literal, 'the degree is no power of two');
  if (primes.length < 2) throw invalid(literal, 'a data prime and the special prime are needed');
  if (new Set(primes).size !== primes.length) throw invalid(literal, 'a prime is named twice');
  for (const prime of primes) {
    if (prime >> BigInt(primeBits - 1) !== 1n) throw invalid(literal, `a prime has not ${primeBits} bits`);
    if (prime % BigInt(2 * degree) !== 1n) throw invalid(literal, 'a prime is not 1 modulo 2N');
  }
  if (imaginaryUnits.length !== primes.length) throw invalid(literal, 'a prime lacks its imaginary unit');
  if (imaginaryUnits.some((unit, i) => (unit * unit + 1n) % (primes[i] ?? 1n) !== 0n)) {
    throw invalid(literal, 'an imaginary unit is no square root of -1');
  }
  if (literal.scaleBits < 1 || literal.scaleBits >= primeBits * (primes.length - 1)) {
    throw invalid(literal, 'the scale does not fit the data primes');
  }
  const standardSecurityBits = standardSecurity(degree, primeBits * primes.length);
  if (literal.securityBits > standardSecurityBits) {
    throw invalid(
      literal,
      `${literal.securityBits} bits claimed, ${standardSecurityBits} by the standard's table`,
    );
  }
  if (literal.isTestOnly !== (literal.securityBits === 0)) {
    throw invalid(literal, 'a set without security, and no other, serves tests only');
  }
  return Object.freeze({
    ...literal,
    primes: Object.freeze([...primes]),
    imaginaryUnits: Object.freeze([...imaginaryUnits]),
    smudging: Object.freeze({ ...literal.smudging }),
    id: parameterSetId(literal),
    slots: degree / 2,
    dataPrimes: primes.length - 1,
    standardSecurityBits,
  });
}

function parameterSetId(literal: ParameterSetLiteral): string {
  const { primes, imaginaryUnits, ...rest } = literal;
  return sha256Hex(
    canonicalJson({ ...rest, primes: primes.map(String), imaginaryUnits: imaginaryUnits.map(String) }),
  );
}

const sets = new Map<string, ParameterSet>(
  Object.values(literals).map((literal) => [literal.name, validateParameterSet(literal)]),
);
const setsById = new Map([...sets.values()].map((set) => [set.id, set]));

/**
 * A parameter set by name.
 *
 * @throws FheError PARAMETER_SET_UNKNOWN
 */
export function parameterSet(name: string): ParameterSet {
  const set = sets.get(name);
  if (!set) {
    throw new FheError(
      'PARAMETER_SET_UNKNOWN',
      `There is no parameter set '${name}'; choose one of ${[...sets.keys()].join(', ')}.`,
    );
  }
  return set;
}

/**
 * A parameter set by its identifier.
 *
 * @throws FheError PARAMETER_SET_UNKNOWN
 */
export function parameterSetById(id: string): ParameterSet {
  const set = setsById.get(id);
  if (!set) throw new FheError('PARAMETER_SET_UNKNOWN', `No parameter set has the identifier ${id}.`);
  return set;
}

/**
 * Refuses a set without security; whoever loads keys or data outside tests calls this.
 *
 * @throws FheError PARAMETER_SET_TEST_ONLY
 */
export function requireSecure(set: ParameterSet): ParameterSet {
  if (set.isTestOnly) {
    throw new FheError('PARAMETER_SET_TEST_ONLY', `Parameter set '${set.name}' has no security: tests only.`);
  }
  return set;
}

/** How a set stands beside the Homomorphic Encryption Standard's table. */
export interface SecurityStatement {
  readonly polyModulusDegree: number;
  /** Bits of the product of all primes, the special one included. */
  readonly modulusBits: number;
  /** What the set claims. */
  readonly securityBits: SecurityLevel;
  /** The level that the table gives. */
  readonly standardSecurityBits: SecurityLevel;
  /** The table's cap on the modulus at 128 bits; undefined for degrees that it does not list. */
  readonly maximumModulusBits: number | undefined;
}

/** The level of security that a set claims and that the standard's table gives it, to be shown. */
export function securityOf(set: ParameterSet): SecurityStatement {
  return {
    polyModulusDegree: set.polyModulusDegree,
    modulusBits: set.primes.reduce((product, prime) => product * prime).toString(2).length,
    securityBits: set.securityBits,
    standardSecurityBits: set.standardSecurityBits,
    maximumModulusBits: maximumModulusBits(set.polyModulusDegree, 128),
  };
}

/**
 * The named parameter sets, as literals. Primes are those of SEAL's `CoeffModulus.Create` for 60-bit requests, the
 * special prime last; `imaginaryUnits` are the residues of X^(N/2) at the first half of SEAL's NTT order, that is
 * psi^(N/2) for SEAL's psi, the smallest primitive 2N-th root of unity.
 */
import type { ParameterSetLiteral, ParameterSetName } from './parameterSet.js';

const smudging = { s: 40, tauLog2: 20 } as const;

export const literals: Readonly<Record<ParameterSetName, ParameterSetLiteral>> = {
  additive: {
    name: 'additive',
    polyModulusDegree: 8192,
    primes: [1152921504606683137n, 1152921504606748673n, 1152921504606830593n],
    imaginaryUnits: [554795620091793753n, 53176988319565295n, 653157713588759055n],
    scaleBits: 90,
    depth: 0,
    securityBits: 128,
    smudging,
    isTestOnly: false,
  },
  standard: {
    name: 'standard',
    polyModulusDegree: 16384,
    primes: [
      1152921504604979201n,
      1152921504605962241n,
      1152921504606584833n,
      1152921504606683137n,
      1152921504606748673n,
    ],
    imaginaryUnits: [
      338102116938444499n,
      750363954069091029n,
      864126526004445281n,
      554795620091793753n,
      1099744516287183378n,
    ],
    scaleBits: 70,
    depth: 2,
    securityBits: 128,
    smudging,
    isTestOnly: false,
  },
  deep: {
    name: 'deep',
    polyModulusDegree: 16384,
    primes: [
      1152921504599080961n,
      1152921504600260609n,
      1152921504604979201n,
      1152921504605962241n,
      1152921504606584833n,
      1152921504606683137n,
      1152921504606748673n,
    ],
    imaginaryUnits: [
      722850234643070695n,
      342508094668742003n,
      338102116938444499n,
      750363954069091029n,
      864126526004445281n,
      554795620091793753n,
      1099744516287183378n,
    ],
    scaleBits: 70,
    depth: 3,
    securityBits: 128,
    smudging,
    isTestOnly: false,
  },
  toy: {
    name: 'toy',
    polyModulusDegree: 1024,
    primes: [
      1152921504606631937n,
      1152921504606683137n,
      1152921504606748673n,
      1152921504606791681n,
      1152921504606830593n,
    ],
    imaginaryUnits: [
      399376186069281024n,
      554795620091793753n,
      53176988319565295n,
      731257660959524765n,
      499763791018071538n,
    ],
    scaleBits: 70,
    depth: 2,
    securityBits: 0,
    smudging,
    isTestOnly: true,
  },
};

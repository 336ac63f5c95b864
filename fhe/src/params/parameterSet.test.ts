import { FheError } from '../errors.js';
import { SealContext } from '../seal/context.js';
import {
  parameterSet,
  parameterSetById,
  requireSecure,
  securityOf,
  validateParameterSet,
} from './parameterSet.js';
import { standardSecurity } from './standard.js';

const names = ['additive', 'standard', 'deep', 'toy'] as const;

describe('parameter sets', () => {
  it("state their bits beside the standard's cap", () => {
    const stated = names.map((name) => {
      const { modulusBits, maximumModulusBits, standardSecurityBits } = securityOf(parameterSet(name));
      return [modulusBits, maximumModulusBits, standardSecurityBits];
    });
    expect(stated).toEqual([
      [180, 218, 128],
      [300, 438, 192],
      [420, 438, 128],
      [300, 27, 0],
    ]);
  });

  it('are frozen, and found by name and identifier', () => {
    for (const name of names) {
      const set = parameterSet(name);
      expect(parameterSetById(set.id)).toBe(set);
      expect(Object.isFrozen(set) && Object.isFrozen(set.primes) && Object.isFrozen(set.smudging)).toBe(true);
    }
    expect(new Set(names.map((name) => parameterSet(name).id)).size).toBe(names.length);
    expect(() => parameterSet('tiny')).toThrow(expect.objectContaining({ code: 'PARAMETER_SET_UNKNOWN' }));
    expect(() => parameterSetById('00')).toThrow(expect.objectContaining({ code: 'PARAMETER_SET_UNKNOWN' }));
  });

  it('claim no more security than the standard grants, and the toy set none', () => {
    expect(names.map((name) => parameterSet(name).standardSecurityBits)).toEqual([128, 192, 128, 0]);
    expect(names.map((name) => parameterSet(name).securityBits)).toEqual([128, 128, 128, 0]);
    expect(requireSecure(parameterSet('standard')).name).toBe('standard');
    expect(() => requireSecure(parameterSet('toy'))).toThrow(
      expect.objectContaining({ code: 'PARAMETER_SET_TEST_ONLY' }),
    );
    expect([standardSecurity(16384, 438), standardSecurity(16384, 439), standardSecurity(100, 1)]).toEqual([
      128, 0, 0,
    ]);
  });

  it.each(names)('%s has the primes that SEAL makes', async (name) => {
    const context = await SealContext.for(parameterSet(name));
    expect(context.set.name).toBe(name);
  });

  it('change identifier with any content, and refuse what does not hold together', () => {
    const {
      id,
      slots: _slots,
      dataPrimes: _data,
      standardSecurityBits: _bits,
      ...literal
    } = parameterSet('toy');
    expect(validateParameterSet(literal).id).toBe(id);
    expect(validateParameterSet({ ...literal, scaleBits: 71 }).id).not.toBe(id);
    const [first = 0n, ...rest] = literal.primes;
    for (const wrong of [
      { primes: [first, first, ...rest.slice(1)] },
      { primes: [first + 2n, ...rest] },
      { primes: [(1n << 61n) - 1n, ...rest] },
      { imaginaryUnits: literal.imaginaryUnits.slice(1) },
      { imaginaryUnits: [1n, ...literal.imaginaryUnits.slice(1)] },
      { scaleBits: 240 },
      { securityBits: 128 as const },
      { isTestOnly: false },
      { polyModulusDegree: 1000 },
    ]) {
      expect(() => validateParameterSet({ ...literal, ...wrong })).toThrow(FheError);
    }
  });
});

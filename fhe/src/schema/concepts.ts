/**
 * Codes of public terminologies beside the names of a schema. They say what a variable or a level means; nothing is
 * computed with them. Only their form and check digit can be checked here.
 */
import { z } from 'zod';

/** LOINC, from the Regenstrief Institute; SNOMED CT, from SNOMED International; ICD-10, from the WHO. */
export const terminologies = ['LOINC', 'SNOMED CT', 'ICD-10'] as const;

export const concept = z
  .discriminatedUnion('system', [
    z.strictObject({ system: z.literal('LOINC'), code: z.string().regex(/^\d{1,7}-\d$/) }),
    z.strictObject({ system: z.literal('SNOMED CT'), code: z.string().regex(/^[1-9]\d{5,17}$/) }),
    z.strictObject({ system: z.literal('ICD-10'), code: z.string().regex(/^[A-Z]\d\d(\.\d{1,2})?$/) }),
  ])
  .refine(hasCheckDigit, 'has a code with a wrong check digit');

/** What a variable or a level means, in a public terminology. */
export type Concept = z.infer<typeof concept>;

function hasCheckDigit({ system, code }: { system: string; code: string }): boolean {
  const digits = Array.from(code.replace('-', ''), Number);
  if (system === 'LOINC') return luhn(digits);
  return system !== 'SNOMED CT' || verhoeff(digits);
}

/** The check digit of LOINC codes, mod 10 with every second digit doubled (ISO/IEC 7812-1). */
function luhn(digits: readonly number[]): boolean {
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const part = i % 2 === 0 ? digit : 2 * digit;
    return total + (part > 9 ? part - 9 : part);
  }, 0);
  return sum % 10 === 0;
}

/** The first row of the permutations that Verhoeff's check applies once for every place. */
const PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/** The check digit of SNOMED CT identifiers, in the dihedral group of ten elements (Verhoeff 1969). */
function verhoeff(digits: readonly number[]): boolean {
  const place = (digit: number, times: number): number => {
    let result = digit;
    for (let i = 0; i < times % 8; i++) result = PERMUTATION[result] ?? 0;
    return result;
  };
  return [...digits].reverse().reduce((check, digit, i) => times(check, place(digit, i)), 0) === 0;
}

/** The product in the dihedral group: 0 to 4 are rotations, 5 to 9 reflections. */
function times(a: number, b: number): number {
  const rotation = a < 5 ? (a % 5) + (b % 5) : (a % 5) - (b % 5);
  return ((rotation + 5) % 5) + (a < 5 === b < 5 ? 0 : 5);
}

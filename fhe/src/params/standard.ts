/**
 * The Homomorphic Encryption Standard's table for uniform ternary secrets and classical attacks: the largest total
 * of modulus bits (the special prime included) at which a ring degree keeps each level of security.
 *
 * Source: Albrecht et al., "Homomorphic Encryption Security Standard", HomomorphicEncryption.org, 2018, table 1.
 */
export type SecurityLevel = 0 | 128 | 192 | 256;

const table: ReadonlyMap<number, readonly (readonly [SecurityLevel, number])[]> = new Map([
  [1024, caps(27, 19, 14)],
  [2048, caps(54, 37, 29)],
  [4096, caps(109, 75, 58)],
  [8192, caps(218, 152, 118)],
  [16384, caps(438, 305, 237)],
  [32768, caps(881, 611, 476)],
]);

function caps(at128: number, at192: number, at256: number): readonly (readonly [SecurityLevel, number])[] {
  return [
    [256, at256],
    [192, at192],
    [128, at128],
  ];
}

/**
 * Security of a ring degree and a modulus by the standard's table.
 *
 * @param polyModulusDegree ring degree N
 * @param modulusBits bits of the product of all primes, the special one included
 * @returns the highest level whose cap holds, 0 where none does or the degree is not in the table
 */
export function standardSecurity(polyModulusDegree: number, modulusBits: number): SecurityLevel {
  const row = table.get(polyModulusDegree) ?? [];
  return row.find(([, cap]) => modulusBits <= cap)?.[0] ?? 0;
}

/**
 * The table's cap on the modulus.
 *
 * @returns bits; undefined for a degree that is not in the table
 */
export function maximumModulusBits(
  polyModulusDegree: number,
  level: Exclude<SecurityLevel, 0>,
): number | undefined {
  return table.get(polyModulusDegree)?.find(([each]) => each === level)?.[1];
}

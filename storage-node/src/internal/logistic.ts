/**
 * Gradient and Hessian of the logistic log-likelihood, for regression by Newton's method over several institutions:
 * McCullagh and Nelder, Generalized Linear Models, 2nd edition, section 4.4. Only sums over all records leave here.
 */
import { z } from 'zod';
import { StorageError } from '../errors.js';
import type { OriginalFields, OriginalValue } from './original-fields.js';

const term = z.union([
  /** A number as it is, shifted and scaled. */
  z.strictObject({ variable: z.string().min(1), middle: z.number().default(0), half: z.number().default(1) }),
  /** 1 where the variable has this level. */
  z.strictObject({ variable: z.string().min(1), level: z.string() }),
]);

export const logisticRequest = z
  .strictObject({
    /** 1 where the variable has the level, else 0. */
    outcome: z.strictObject({ variable: z.string().min(1), level: z.string() }),
    /** Behind the intercept. */
    terms: z.array(term).max(50),
    /** The intercept's, then one for every term. */
    coefficients: z.array(z.number()).min(1),
    /** Only records in which every one of these variables has its level. */
    where: z.array(z.strictObject({ variable: z.string().min(1), level: z.string() })).default([]),
    /**
     * Fewer complete records than this are not answered about. 0 is for whoever asks about parts of a whole that is large
     * enough, and shows nobody the part.
     */
    minimumRecords: z.number().int().min(0).default(5),
  })
  .refine(({ terms, coefficients }) => coefficients.length === terms.length + 1, {
    message: 'needs one coefficient for the intercept and one for every term',
  });
export type LogisticRequest = z.input<typeof logisticRequest>;

/** Sums over the complete records. */
export interface LogisticSums {
  records: number;
  logLikelihood: number;
  /** d l / d beta. */
  gradient: number[];
  /** d2 l / d beta2, row by row; symmetric, negative semidefinite. */
  hessian: number[][];
}

/**
 * Computes the sums for given coefficients over patients field by field. Who lacks one of the variables is left out.
 *
 * @throws StorageError `REQUEST_INVALID` for a shape that is not asked for, `REFUSED` for too few records.
 */
export function logisticSums(fields: OriginalFields, request: unknown): LogisticSums {
  const parsed = logisticRequest.safeParse(request);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new StorageError(
      'REQUEST_INVALID',
      `The computation cannot be asked this: ${issue?.message ?? ''}.`,
    );
  }
  const { outcome, terms, coefficients, where, minimumRecords } = parsed.data;
  const size = coefficients.length;
  const gradient = new Array<number>(size).fill(0);
  const hessian = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  let logLikelihood = 0;
  let count = 0;
  const outcomes = indicator(fields, outcome);
  const conditions = where.map((condition) => indicator(fields, condition));
  const parts = terms.map((part) => ('level' in part ? indicator(fields, part) : scaled(fields, part)));
  const patients = fields.get(outcome.variable)?.length ?? 0;
  for (let patient = 0; patient < patients; patient += 1) {
    if (!conditions.every((condition) => condition(patient) === 1)) continue;
    const y = outcomes(patient);
    const x = [1, ...parts.map((part) => part(patient))];
    if (y === undefined || !x.every((value) => value !== undefined)) continue;
    count += 1;
    const eta = x.reduce((sum, value, i) => sum + value * (coefficients[i] ?? 0), 0);
    const p = 1 / (1 + Math.exp(-eta));
    // log(1 + e^eta) without overflow.
    logLikelihood += y * eta - (Math.max(eta, 0) + Math.log1p(Math.exp(-Math.abs(eta))));
    x.forEach((value, i) => {
      gradient[i] = (gradient[i] ?? 0) + value * (y - p);
      const row = hessian[i] ?? [];
      x.forEach((other, j) => (row[j] = (row[j] ?? 0) - value * other * p * (1 - p)));
    });
  }
  if (count < minimumRecords)
    throw new StorageError('REFUSED', `Fewer than ${minimumRecords} complete records are not computed with.`);
  return { records: count, logLikelihood, gradient, hessian };
}

/** What one variable says of the patient with an index; undefined where it is missing. */
type Reading = (patient: number) => number | undefined;

function indicator(
  fields: OriginalFields,
  { variable, level }: { variable: string; level: string },
): Reading {
  const values = valuesOf(fields, variable);
  return (patient) => {
    const value = values[patient];
    return value === undefined || value === null ? undefined : Number(String(value) === level);
  };
}

function scaled(
  fields: OriginalFields,
  { variable, middle, half }: { variable: string; middle: number; half: number },
): Reading {
  const values = valuesOf(fields, variable);
  return (patient) => {
    const value = values[patient];
    return typeof value === 'number' ? (value - middle) / half : undefined;
  };
}

const valuesOf = (fields: OriginalFields, variable: string): readonly OriginalValue[] =>
  fields.get(variable) ?? [];

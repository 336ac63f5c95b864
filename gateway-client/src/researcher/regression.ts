/**
 * Logistic regression to the exact maximum likelihood, over the institutions of an agreement: Newton's method, every
 * iteration one job that releases the gradient and the information of all patients at the coefficients so far.
 */
import { randomBytes } from 'node:crypto';
import { submitJob as submission } from '@strokeshare/chaincode';
import {
  COEFFICIENT_UNIT,
  isLevelled,
  levelCodes,
  scalingOf,
  type AnalysisQuery,
  type LogisticSums,
  type Schema,
} from '@strokeshare/fhe';
import { Matrix } from 'ml-matrix';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import { readNamedFile } from '../named-file.js';
import { logisticRegression, type LogisticAggregate, type LogisticRegression } from '../statistics/index.js';
import type { ResearcherContext } from './open.js';
import { openResult } from './result.js';
import { submitJob, waitForJob } from './submit.js';

const { jobId, agreementId, purpose, query, quorum, holderMinutes } = submission.shape;
const variable = z.string().min(1).max(63);
const shape = z.strictObject({
  /** Begins the jobs' ids; letters, digits and . _ -. */
  name: jobId.max(36),
  title: z.string().min(1),
  agreement: agreementId,
  purpose,
  deadlineMinutes: z.number().positive().optional(),
  quorum,
  holderMinutes,
  regression: z.strictObject({
    outcome: z.strictObject({ variable, level: z.string().min(1) }),
    /** Numbers, in the units of the schema. */
    numbers: z.array(variable).max(10).default([]),
    /** Variables with levels: every level but the first is compared with the first. */
    groups: z.array(variable).max(6).default([]),
    where: query.shape.where,
    /** Of the confidence intervals. */
    level: z.number().gt(0).lt(1).default(0.95),
  }),
});
/** A regression as a researcher keeps it in a file. */
export type RegressionFile = z.infer<typeof shape>;

/**
 * What is left of Newton's decrement when the coefficients count as the maximum's: they are then within the square
 * root of it, in standard errors, and the step that follows is taken. One iteration less than machine precision asks
 * for: each is a release.
 */
const TOLERANCE = 1e-8;
/** Contracts release a model of one cohort no more often. */
const MAXIMUM_RELEASES = 10;

/** A fit, with the jobs that it was made of. */
export interface ReleasedRegression {
  regression: LogisticRegression;
  /** Patients that have all of its variables. */
  patients: number;
  jobs: string[];
}

/** @throws ClientError `JOB_FILE_INVALID` */
export function parseRegression(value: unknown, name: string): RegressionFile {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ClientError(
    'JOB_FILE_INVALID',
    `The regression ${name} cannot be used: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
    { cause: result.error },
  );
}

/** Reads a regression from a YAML file. @throws ClientError `JOB_FILE_INVALID` */
export async function readRegression(path: string): Promise<RegressionFile> {
  const file = { what: 'The regression', code: 'JOB_FILE_INVALID', form: 'YAML' } as const;
  return parseRegression(await readNamedFile(path, file), path);
}

/** What the jobs of a regression ask, and what their sums mean. */
export interface RegressionSteps {
  /** The intercept and every term. */
  terms: string[];
  /** @param coefficients - of the terms in their own units. */
  queryAt(coefficients: readonly number[]): AnalysisQuery;
  /** Released sums, as they are of the terms in their own units. */
  inOwnUnits(sums: LogisticSums): LogisticAggregate;
}

/** @throws ClientError `JOB_FILE_INVALID` where the schema lacks a variable. */
export function regressionSteps({ regression }: RegressionFile, schema: Schema): RegressionSteps {
  const { outcome, where } = regression;
  const terms = termsOf(regression, schema);
  const units = unitsOf(terms);
  return {
    terms: ['intercept', ...terms.map(({ variable: name, level }) => nameOf(name, level))],
    queryAt: (coefficients) => ({
      version: 1,
      statistics: [
        {
          ...{ id: 'step', kind: 'logistic', outcome },
          terms: terms.map(({ variable: name, level }) => ({
            variable: name,
            ...(level !== undefined && { level }),
          })),
          coefficients: units.toScaled(coefficients).map((value) => Math.round(value / COEFFICIENT_UNIT)),
        },
      ],
      ...(where && { where }),
    }),
    inOwnUnits: units.toOwn,
  };
}

/**
 * Fits the regression.
 *
 * @param onRelease - told of every job that was released, and the coefficients that it was asked at.
 * @throws JobRefused; ClientError `NOT_CONVERGED`, `RESULT_INVALID` where the patients are too few, and what jobs throw.
 */
export async function regress(
  context: ResearcherContext,
  file: RegressionFile,
  onRelease: (jobId: string, coefficients: readonly number[]) => void = () => undefined,
): Promise<ReleasedRegression> {
  const { regression: asked, ...job } = file;
  const steps = regressionSteps(file, await schemaOf(context, file.agreement));
  const name = `${file.name}-${randomBytes(2).toString('hex')}`.slice(0, 40);
  const jobs: string[] = [];
  let patients = 0;
  const oracle = async (coefficients: readonly number[]): Promise<LogisticAggregate> => {
    const query = steps.queryAt(coefficients);
    const { jobId: id } = await submitJob(context, { ...job, name, query, analyses: [] });
    await waitForJob(context, id);
    const { vector, counts } = await openResult(context, id);
    if (!vector)
      throw new ClientError('RESULT_INVALID', `Job ${id} was kept back: its patients are too few.`);
    [patients = 0] = counts.values();
    jobs.push(id);
    onRelease(id, coefficients);
    return steps.inOwnUnits(vector);
  };
  const regression = await logisticRegression(steps.terms, oracle, {
    tolerance: TOLERANCE,
    maximumReleases: MAXIMUM_RELEASES,
    level: asked.level,
    signal: context.signal,
  });
  return { regression, patients, jobs };
}

const nameOf = (name: string, code: string | undefined): string =>
  code === undefined ? name : `${name}=${code}`;

interface Term {
  variable: string;
  level?: string;
  /** Own value = middle + half * scaled; of a level the value itself. */
  middle: number;
  half: number;
}

function termsOf({ numbers, groups }: RegressionFile['regression'], { variables }: Schema): Term[] {
  const find = (name: string): Schema['variables'][number] => {
    const found = variables.find((one) => one.name === name);
    if (found) return found;
    throw new ClientError('JOB_FILE_INVALID', `The datasets have no variable ${name}.`);
  };
  return [
    ...numbers.map((name): Term => {
      const number = find(name);
      if (number.kind !== 'numeric') throw new ClientError('JOB_FILE_INVALID', `${name} is no number.`);
      return { variable: name, ...scalingOf(number) };
    }),
    ...groups.flatMap((name): Term[] => {
      const group = find(name);
      if (!isLevelled(group)) throw new ClientError('JOB_FILE_INVALID', `${name} has no levels.`);
      return levelCodes(group)
        .slice(1)
        .map((level) => ({ variable: name, level, middle: 0, half: 1 }));
    }),
  ];
}

/** Between coefficients of terms in their own units, as they are published, and of scaled ones, as jobs ask them. */
function unitsOf(terms: readonly Term[]): {
  toScaled: (coefficients: readonly number[]) => number[];
  toOwn: (sums: LogisticSums) => LogisticAggregate;
} {
  // Own terms, the intercept's 1 among them, are this matrix times the scaled ones.
  const matrix = Matrix.identity(terms.length + 1);
  terms.forEach(({ middle, half }, i) => {
    matrix.set(i + 1, 0, middle);
    matrix.set(i + 1, i + 1, half);
  });
  const transposed = matrix.transpose();
  return {
    toScaled: (coefficients) => transposed.mmul(Matrix.columnVector([...coefficients])).to1DArray(),
    toOwn: ({ gradient, information, logLikelihood }) => ({
      gradient: matrix.mmul(Matrix.columnVector([...gradient])).to1DArray(),
      information: matrix
        .mmul(new Matrix(information.map((row) => [...row])))
        .mmul(transposed)
        .to2DArray(),
      logLikelihood,
    }),
  };
}

/** The schema of the agreement's first dataset; the contract refuses variables that are not alike in all. */
async function schemaOf({ client, signal }: ResearcherContext, id: string): Promise<Schema> {
  const { content } = await client.agreements.get({ agreementId: id }, { signal });
  const [datasetId = ''] = content.permission.datasets;
  return (await client.datasets.get({ datasetId }, { signal })).schema;
}

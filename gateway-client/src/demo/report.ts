import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Schema } from '@strokeshare/fhe';
import type { ResultRow } from '../researcher/index.js';
import { toleranceOf } from '../statistics/index.js';
import { publishedFigure } from './published.js';
import type { StageTime } from './stages.js';

/** One compared number; `encrypted` is null where the group was kept back. */
export interface ReportRow {
  label: string;
  encrypted: number | null;
  plain: number;
  tolerance: number;
  published?: number;
}

export interface ReportJob {
  name: string;
  rows: ReportRow[];
}

/** A row with what the tables show beside it. */
export interface ComparedRow extends ReportRow {
  /** Standard deviation of the error that the plan states; 0 for what is exact. */
  statedError: number;
}

export interface ComparedJob {
  name: string;
  rows: ComparedRow[];
}

/** What the demo found: written to report.json in exactly this shape. */
export interface DemoReport {
  ok: boolean;
  stages: StageTime[];
  jobs: ReportJob[];
}

/** What the report says in words beside the numbers. */
export interface ReportNotes {
  /** The refused job's id, code and reason. */
  refused: string;
  attribution: string;
}

const WORDS: Partial<Record<ResultRow['quantity'], string>> = {
  count: 'patients',
  mean: 'mean',
  variance: 'variance',
  proportion: 'proportion',
  oddsRatio: 'odds ratio',
  oddsRatioLower: 'odds ratio, lower 95 %',
  oddsRatioUpper: 'odds ratio, upper 95 %',
};

/** Sets a result beside the plain computation: the same rows in the same order. */
export function compareRows(
  encrypted: readonly ResultRow[],
  plain: readonly ResultRow[],
  variables: Readonly<Record<string, string>>,
  schema: Schema,
): ComparedRow[] {
  return encrypted.map((row, index) => {
    const truth = plain[index];
    if (!truth?.measured || keyOf(truth) !== keyOf(row)) {
      throw new TypeError(`the plain computation has no row ${keyOf(row)}`);
    }
    const published = publishedFigure(row);
    return {
      label: labelOf(row, variables, schema),
      encrypted: row.measured?.value ?? null,
      plain: truth.measured.value,
      tolerance: row.quantity === 'count' ? 0 : toleranceOf(row.measured ?? truth.measured),
      ...(published !== undefined && { published }),
      statedError: row.measured?.deviation ?? 0,
    };
  });
}

/** Whether a row agrees: a group that was kept back does not, for the demo's groups are all large enough. */
export function agrees({ encrypted, plain, tolerance }: ReportRow): boolean {
  return encrypted !== null && Math.abs(encrypted - plain) <= tolerance;
}

/** The report in the shape that it is written in. */
export function reportOf(stages: StageTime[], jobs: readonly ComparedJob[]): DemoReport {
  return {
    ok: jobs.every(({ rows }) => rows.every(agrees)),
    stages,
    jobs: jobs.map(({ name, rows }) => ({ name, rows: rows.map(({ statedError: _, ...row }) => row) })),
  };
}

/** Writes report.json and report.md into a folder. */
export async function writeReport(
  folder: string,
  report: DemoReport,
  jobs: readonly ComparedJob[],
  notes: ReportNotes,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(folder, 'report.md'), markdown(report, jobs, notes));
}

const COLUMNS = ['encrypted', 'plain', 'difference', 'stated error', 'tolerance', 'published'];

/** The table of a job as text. */
export function jobTable({ name, rows }: ComparedJob): string {
  const lines = [['', ...COLUMNS], ...rows.map((row) => [row.label, ...cellsOf(row)])];
  const widths = ['', ...COLUMNS].map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const text = lines.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [name, ...text].join('\n');
}

function cellsOf(row: ComparedRow): string[] {
  const { encrypted, plain, tolerance, statedError, published } = row;
  return [
    encrypted === null ? 'kept back' : number(encrypted),
    number(plain),
    encrypted === null ? '' : small(Math.abs(encrypted - plain)),
    small(statedError),
    tolerance === 0 ? 'exact' : small(tolerance),
    published === undefined ? '' : String(published),
  ];
}

function markdown(
  { ok, stages }: DemoReport,
  jobs: readonly ComparedJob[],
  { refused, attribution }: ReportNotes,
): string {
  const tables = jobs.flatMap(({ name, rows }) => [
    `## ${name}`,
    '',
    `| | ${COLUMNS.join(' | ')} |`,
    `|---|${COLUMNS.map(() => '---:|').join('')}`,
    ...rows.map((row) => `| ${[row.label, ...cellsOf(row)].join(' | ')} |`),
    '',
  ]);
  return [
    '# StrokeShare: the main job',
    '',
    ok
      ? 'Every encrypted result agrees with the plain computation.'
      : 'At least one encrypted result does not agree with the plain computation.',
    '',
    ...tables,
    'Counts are exact. The tolerance of every other value is the larger of 1e-6 relative and eight standard deviations',
    'of the error that its plan states. Published: Lancet 1997;349:1569-1581, doi:10.1016/S0140-6736(97)04011-7.',
    '',
    '## Refused by the contract',
    '',
    refused,
    '',
    '## Time',
    '',
    '| stage | seconds |',
    '|---|---:|',
    ...stages.map(({ name, seconds }) => `| ${name} | ${seconds.toFixed(1)} |`),
    '',
    attribution,
    '',
  ].join('\n');
}

function labelOf(
  { quantity, labels, statistic }: ResultRow,
  variables: Readonly<Record<string, string>>,
  schema: Schema,
): string {
  const groups = Object.entries(labels).map(([name, code]) => `${name} ${levelOf(schema, name, code)}`);
  const variable = variables[statistic];
  const word = WORDS[quantity] ?? quantity;
  const what = variable !== undefined && quantity !== 'count' ? `${word} of ${variable}` : word;
  return groups.length === 0 ? what : `${what}, ${groups.join(', ')}`;
}

function levelOf(schema: Schema, name: string, code: string): string {
  const variable = schema.variables.find((candidate) => candidate.name === name);
  const label =
    variable && 'levels' in variable
      ? variable.levels.find((level) => level.code === code)?.label
      : undefined;
  return label === undefined ? code : `${code} (${label})`;
}

function keyOf({ statistic, quantity, labels }: ResultRow): string {
  return JSON.stringify([statistic, quantity, labels]);
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(9);
}

function small(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

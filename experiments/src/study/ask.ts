import { join } from 'node:path';
import {
  cellsInTheClear,
  openResult,
  readJobFile,
  resultRows,
  submitJob,
  toleranceOf,
  waitForJob,
  type JobFile,
  type ResultRow,
} from '@strokeshare/gateway-client';
import type { PatientRecord, Schema } from '@strokeshare/fhe';
import { ROOT } from '../report.js';
import type { Study } from './alliance.js';

/** A released number beside the same computation on the plain records. */
export interface ComparedNumber {
  job: string;
  row: ResultRow;
  encrypted: number | null;
  plain: number | null;
  /** Within which both have to agree; 0 for what is exact. */
  tolerance: number;
  agrees: boolean;
}

/** What a job answered, and how long it took. */
export interface Answer {
  file: JobFile;
  jobId: string;
  seconds: number;
  cells: number;
  numbers: ComparedNumber[];
}

/** Reads one of the experiments' job files. */
export function readStudyJob(name: string): Promise<JobFile> {
  return readJobFile(join(ROOT, 'experiments', 'jobs', `${name}.yaml`));
}

/** Asks a question through the whole system, and computes the same from the plain records. */
export async function ask(
  { researcher, served }: Study,
  file: JobFile,
  schema: Schema,
  records: readonly PatientRecord[],
  progress: (line: string) => void,
): Promise<Answer> {
  const started = performance.now();
  const { jobId } = await submitJob(researcher, file);
  await served(waitForJob(researcher, jobId, (state) => progress(`${jobId}: ${state}`)));
  const result = await openResult(researcher, jobId);
  const seconds = (performance.now() - started) / 1000;
  const rows = resultRows(result, file.analyses);
  const clear = cellsInTheClear(file.query, schema, records, result.set, result.plan.context);
  const plain = resultRows(clear, file.analyses);
  const numbers = rows.map((row, i): ComparedNumber => {
    const encrypted = row.measured?.value ?? null;
    const truth = plain[i]?.measured?.value ?? null;
    const tolerance = row.measured && row.measured.deviation > 0 ? toleranceOf(row.measured) : 0;
    const agrees =
      encrypted === null || truth === null
        ? encrypted === truth && row.note === plain[i]?.note
        : Math.abs(encrypted - truth) <= tolerance;
    return { job: file.name, row, encrypted, plain: truth, tolerance, agrees };
  });
  return { file, jobId, seconds, cells: result.plan.cells.length, numbers };
}

/** What a number is of, in words. */
export function nameOf({ row }: Pick<ComparedNumber, 'row'>): string {
  const labels = Object.entries(row.labels).map(([name, level]) => `${name}=${level}`);
  return [row.statistic, row.quantity, ...labels].join(' ');
}

/** A line of comma-separated values (RFC 4180). */
export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return values
    .map((value) => {
      const text = String(value ?? '');
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',');
}

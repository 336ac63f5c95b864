/** A table on its way into a dataset: read through once before anything is entered, and again while it is. */
import { createHash, type Hash } from 'node:crypto';
import type { Provenance, VersionAttestation } from '@strokeshare/chaincode';
import type { Schema } from '@strokeshare/fhe';
import { publishRows, type AgentContext, type LoadedBatch, type OwnPatients } from '../agent/index.js';
import { joinPatients } from '../agent/own-patients.js';
import { readSchema } from '../demo/records.js';
import { ClientError } from '../errors.js';
import {
  openTable,
  progressBar,
  provenanceOf,
  readMapping,
  readRows,
  sharedSchema,
  type LoadedRows,
  type LoadOptions,
  type RejectedRow,
} from '../load/index.js';
import { Names } from '../load/names.js';
import { withoutRejected } from '../load/records.js';
import { readDatasetFile, type DatasetFile } from './dataset-file.js';

/** Lines that are named in a sentence; the others are counted. */
const SHOWN = 5;

/** A table that was read through once, so that nothing is entered of one that cannot be loaded. */
export interface DatasetTable {
  schema: Schema;
  provenance: Provenance;
  /** Patients that can be loaded. */
  patients: number;
  /** Rows that cannot, and the first of them. */
  rejected: number;
  firstRejected: readonly RejectedRow[];
  /**
   * Reads the table again, some patients at a time.
   *
   * @throws ClientError `FILE_ALTERED` at its end, where it is not the table that was read before.
   */
  rows(): AsyncGenerator<OwnPatients>;
}

/** Where progress is shown, and whether the work goes on. */
export interface Surroundings {
  stream: NodeJS.WriteStream;
  signal: AbortSignal;
}

/**
 * Reads a table of a dataset through, plain or packed by gzip. The memory does not grow with it, but for sixteen bytes
 * a patient where a column names them.
 *
 * @throws ClientError `FILE_MISSING`, what reading rows throws, and `REQUEST_INVALID` where two rows name one patient.
 */
export async function openDatasetTable(
  { patient, attribution, ...file }: DatasetFile,
  path: string,
  { stream, signal }: Surroundings,
): Promise<DatasetTable> {
  const mapping = await readMapping(file.mapping);
  const schema = sharedSchema(await readSchema(file.schema), mapping);
  const options = { schema, mapping, ...(patient !== undefined && { groupBy: patient }) };
  const names = new Names();
  const firstRejected: RejectedRow[] = [];
  let [patients, rejected] = [0, 0];
  const { bytes, size, read } = await openTable(path);
  const bar = progressBar(stream, { title: 'checks', total: size, unit: 'rows' });
  const digest = createHash('sha256');
  try {
    for await (const rows of namedRows(hashed(bytes, digest), options)) {
      signal.throwIfAborted();
      patients += rows.lines.length;
      rejected += rows.rejected.length;
      firstRejected.push(...rows.rejected.slice(0, SHOWN - firstRejected.length));
      rows.groups?.forEach((name, i) => names.add(name, rows.lines[i] ?? 0));
      bar.update(read(), patients + rejected);
    }
  } finally {
    bar.stop();
  }
  requireDistinct(names, path);
  const sourceHash = digest.digest('hex');
  return {
    ...{ schema, patients, rejected, firstRejected },
    provenance: provenanceOf(sourceHash, mapping, attribution),
    rows: () => rowsOf(path, sourceHash, options),
  };
}

/** What the command takes besides its files. */
export interface LoadChoice {
  skipRejected?: boolean;
}

/**
 * Reads a dataset's file and table through.
 *
 * @throws ClientError `FILE_UNREADABLE` where rows are rejected and not to be skipped.
 */
export async function openLoad(
  datasetPath: string,
  path: string,
  { skipRejected }: LoadChoice,
  surroundings: Surroundings,
): Promise<{ file: DatasetFile; table: DatasetTable }> {
  const file = await readDatasetFile(datasetPath);
  const table = await openDatasetTable(file, path, surroundings);
  if (table.rejected > 0) {
    const shown = table.firstRejected.map(({ line, reason }) => `line ${line}: ${reason}`);
    const more = table.rejected > shown.length ? `; and ${table.rejected - shown.length} more` : '';
    const sentence = `${table.rejected} rows of ${path} cannot be loaded (${shown.join('; ')}${more})`;
    if (!skipRejected)
      throw new ClientError('FILE_UNREADABLE', `${sentence}; --skip-rejected leaves them out.`);
    surroundings.stream.write(`${sentence} and are left out.\n`);
  }
  return { file, table };
}

/**
 * Encrypts a table and shares it as a new dataset, some patients at a time. The same call goes on behind the last batch
 * that was entered before it was interrupted.
 */
export async function addTable(
  context: AgentContext,
  { file, table }: { file: DatasetFile; table: DatasetTable },
  stream: NodeJS.WriteStream,
): Promise<VersionAttestation> {
  const { id: datasetId, epoch: epochId, title, minimumCohort, conditions } = file;
  const { schema, provenance, patients } = table;
  const bar = progressBar(stream, { title: 'encrypts', total: patients, unit: 'patients' });
  try {
    return await publishRows(
      context,
      { datasetId, epochId, title, minimumCohort, conditions, schema, provenance, rows: table.rows() },
      (done) => bar.update(done, done),
    );
  } finally {
    bar.stop();
  }
}

/** All patients of a table at once, for changes that are not streamed. */
export async function wholeTable({ provenance, rows }: DatasetTable): Promise<LoadedBatch> {
  const all: OwnPatients[] = [];
  for await (const some of rows()) all.push(some);
  return { provenance, ...joinPatients(all) };
}

async function* rowsOf(path: string, sourceHash: string, options: LoadOptions): AsyncGenerator<OwnPatients> {
  const { bytes } = await openTable(path);
  const digest = createHash('sha256');
  const source = sourceHash.slice(0, 12);
  for await (const { fields, lines, groups } of namedRows(hashed(bytes, digest), options))
    yield { fields, patients: groups ?? lines.map((line) => `${source} line ${line}`) };
  if (digest.digest('hex') !== sourceHash)
    throw new ClientError('FILE_ALTERED', `The table ${path} was changed while it was read.`);
}

/** Rows whose patients have names, where a column names them. */
async function* namedRows(
  bytes: AsyncIterable<Uint8Array>,
  options: LoadOptions,
): AsyncGenerator<LoadedRows> {
  for await (const rows of readRows(bytes, options)) {
    const nameless = (rows.groups ?? []).flatMap((name, row) => (name === '' ? [row] : []));
    const reason = `${options.groupBy ?? ''} names no patient`;
    yield nameless.length === 0 ? rows : withoutRejected(rows, new Map(nameless.map((row) => [row, reason])));
  }
}

function requireDistinct(names: Names, path: string): void {
  const lines = names.repeated();
  if (lines.length === 0) return;
  const shown = lines.slice(0, SHOWN).join(', ');
  throw new ClientError(
    'REQUEST_INVALID',
    `Every record needs a patient of its own: the names in ${lines.length} lines of ${path} are not (line ${shown}${lines.length > SHOWN ? ', ...' : ''}).`,
  );
}

/** Passes bytes on, and digests them on the way. */
async function* hashed(bytes: AsyncIterable<Uint8Array>, digest: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    digest.update(piece);
    yield piece;
  }
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { registerDataset } from '@strokeshare/chaincode';
import type { Schema } from '@strokeshare/fhe';
import { z } from 'zod';
import type { LoadedBatch } from '../agent/index.js';
import { readSchema } from '../demo/records.js';
import { ClientError } from '../errors.js';
import { readShapedFile } from '../named-file.js';
import { isGzip } from '../load/checked-file.js';
import { loadRecords, provenanceOf, readMapping, sharedSchema, type RejectedRow } from '../load/index.js';

const { datasetId, title, minimumCohort, conditions } = registerDataset.shape;
const shape = z.strictObject({
  id: datasetId,
  title,
  /** Id of the key epoch that the first version is encrypted under. */
  epoch: z.string().min(1),
  /** The data dictionary, a JSON file; and how the table's columns become its fields, a YAML file. */
  schema: z.string().min(1),
  mapping: z.string().min(1),
  minimumCohort,
  /** In terms of the Data Use Ontology: one permission, and modifiers. */
  conditions,
  /** The table's column with the institution's own name of each patient; without it the file and line are the name. */
  patient: z.string().min(1).optional(),
  /** Citation or licence of the records. */
  attribution: z.string().min(1).optional(),
});

/** What an institution keeps in a YAML file about one of its datasets; its paths are relative to that file. */
export type DatasetFile = z.infer<typeof shape>;

/** The JSON schema (draft 2020-12) of a dataset file, for completion in editors. */
export function datasetFileSchema(): object {
  return { title: 'A dataset of an institution', ...z.toJSONSchema(shape, { io: 'input' }) };
}

/**
 * Reads the description of a dataset.
 *
 * @throws ClientError `DATASET_FILE_INVALID` with file, place and reason.
 */
export async function readDatasetFile(path: string): Promise<DatasetFile> {
  const file = { what: 'The dataset file', code: 'DATASET_FILE_INVALID', form: 'YAML' } as const;
  const described = await readShapedFile(path, file, shape);
  const beside = (name: string): string => resolve(dirname(path), name);
  return { ...described, schema: beside(described.schema), mapping: beside(described.mapping) };
}

/** A table as a dataset takes it. */
export interface DatasetRecords extends LoadedBatch {
  schema: Schema;
  rejected: RejectedRow[];
}

/**
 * Reads a table of a dataset, plain or packed by gzip.
 *
 * @throws ClientError `FILE_MISSING` and what reading rows throws.
 */
export async function readDatasetRecords(file: DatasetFile, path: string): Promise<DatasetRecords> {
  const bytes = await plainBytes(path);
  const mapping = await readMapping(file.mapping);
  const schema = sharedSchema(await readSchema(file.schema), mapping);
  const options = { schema, mapping, ...(file.patient !== undefined && { groupBy: file.patient }) };
  const { records, rejected } = await loadRecords(bytes, options);
  const source = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const nameless = records.filter(({ group }) => group === '');
  return {
    schema,
    records: records.filter(({ group }) => group !== '').map(({ values }) => values),
    patients: records
      .filter(({ group }) => group !== '')
      .map(({ line, group }) => group ?? `${source} line ${line}`),
    provenance: provenanceOf(bytes, mapping, file.attribution),
    rejected: [
      ...rejected,
      ...nameless.map(({ line }) => ({ line, reason: `${file.patient ?? ''} names no patient` })),
    ],
  };
}

async function plainBytes(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return isGzip(bytes) ? gunzipSync(bytes) : bytes;
  } catch (cause) {
    throw new ClientError('FILE_MISSING', `The table ${path} is missing or cannot be read.`, { cause });
  }
}

import { dirname, resolve } from 'node:path';
import { registerDataset } from '@strokeshare/chaincode';
import { z } from 'zod';
import { readShapedFile } from '../named-file.js';

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

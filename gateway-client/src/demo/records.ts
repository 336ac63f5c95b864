import { join } from 'node:path';
import type { Provenance } from '@strokeshare/chaincode';
import { parseSchema, type Schema } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { readNamedFile } from '../named-file.js';
import {
  deal,
  loadRecords,
  provenanceOf,
  readCheckedFile,
  readMapping,
  type LoadedRecord,
} from '../load/index.js';

/** SHA-256 of the International Stroke Trial's table: packed, and as deposited. */
const IST_SHA256 = [
  'a4b2f3d90afff7dd0dfe1cfee46f32117ca4260bba65dc6dac8ab51d11760f21',
  'a350aed2329bbcde23c05caaa96b9275b44b017adecc2fd02231d590454695d5',
];

export const ATTRIBUTION =
  'Contains information from the International Stroke Trial database (version 2), doi:10.7488/ds/104, made ' +
  'available under the ODC Attribution License (https://opendatacommons.org/licenses/by/1-0/).';

/** The trial's records, dealt to hospitals. */
export interface DealtRecords {
  schema: Schema;
  /** All patients, for the plain computation. */
  all: LoadedRecord[];
  /** Patients of each hospital. */
  hospitals: LoadedRecord[][];
  provenance: Provenance;
}

/**
 * Loads the International Stroke Trial and deals whole countries to hospitals.
 *
 * @param variables - which schema and mapping: the demo's, or with what the published figures and survival need.
 * @throws ClientError `FILE_MISSING`, `FILE_ALTERED` showing the hash, `FILE_UNREADABLE`.
 */
export async function dealTrial(
  dataFolder: string,
  hospitals: number,
  file = join(dataFolder, 'IST_corrected.csv.gz'),
  variables: 'ist' | 'ist-study' = 'ist',
): Promise<DealtRecords> {
  const bytes = await readCheckedFile(file, IST_SHA256);
  const schema = await readSchema(join(dataFolder, 'schemas', `${variables}.json`));
  const mapping = await readMapping(join(dataFolder, 'mappings', `${variables}.yaml`));
  const { records, rejected } = await loadRecords(bytes, { schema, mapping, groupBy: 'COUNTRY' });
  const [first] = rejected;
  if (first) {
    throw new ClientError(
      'FILE_UNREADABLE',
      `Line ${first.line} of ${file} does not fit the schema: ${first.reason}.`,
    );
  }
  const sizes = new Map<string, number>();
  for (const { group = '' } of records) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const hospitalOf = deal(sizes, hospitals);
  const dealt = Array.from({ length: hospitals }, (_, hospital) =>
    records.filter(({ group = '' }) => hospitalOf.get(group) === hospital),
  );
  return { schema, all: records, hospitals: dealt, provenance: provenanceOf(bytes, mapping, ATTRIBUTION) };
}

/**
 * Reads a schema from a JSON file.
 *
 * @throws ClientError `FILE_MISSING`, `FILE_UNREADABLE`; FheError `SCHEMA_INVALID`.
 */
export async function readSchema(path: string): Promise<Schema> {
  const value = await readNamedFile(path, {
    what: 'The schema',
    code: 'FILE_MISSING',
    malformed: 'FILE_UNREADABLE',
    form: 'JSON',
  });
  return parseSchema(value);
}

import {
  packFields,
  parameterSetById,
  parseSchema,
  type ColumnBatch,
  type AnalysisPlan,
  type ParameterSet,
  type Schema,
} from '@strokeshare/fhe';
import { provenance, type Provenance } from '@strokeshare/chaincode';
import { storedFields } from '@strokeshare/storage-node';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import type { AgentContext } from './context.js';
import type { OwnPatients } from './own-patients.js';

/** Patients with where they come from. */
export interface LoadedBatch extends OwnPatients {
  provenance: Provenance;
}

/** The original records of one batch, in the order of its slots. */
export interface OwnBatch extends LoadedBatch {
  schema: Schema;
}

/** Which batch of which dataset. */
export interface BatchName {
  datasetId: string;
  batchId: string;
}

/** Beside the fields, which stand there as `fields` or as the `records` of earlier versions. */
const stored = z.strictObject({
  schema: z.unknown(),
  fields: z.unknown().optional(),
  records: z.unknown().optional(),
  patients: z.array(z.string()),
  provenance,
});
/** What a batch's records are called in the internal zone. */
export const originalName = ({ datasetId, batchId }: BatchName): string => `records-${datasetId}-${batchId}`;

/** Keeps the original records of a batch in the internal zone. */
export async function storeOwnBatch(
  { originals }: AgentContext,
  name: BatchName,
  { schema, fields, patients, provenance: from }: OwnBatch,
): Promise<void> {
  // A caller's object may hold more than this, and what is stored is read strictly.
  await originals.write(originalName(name), {
    schema,
    fields: Object.fromEntries(fields),
    patients,
    provenance: from,
  });
}

/**
 * Reads the original records of a batch.
 *
 * @throws ClientError `FILE_MISSING`.
 */
export async function readOwnBatch({ originals }: AgentContext, name: BatchName): Promise<OwnBatch> {
  const value = await originals.read(originalName(name));
  if (value === undefined) {
    throw new ClientError(
      'FILE_MISSING',
      `The original records of batch ${name.batchId} of dataset ${name.datasetId} are not in the internal zone.`,
    );
  }
  const { schema, patients, provenance: from } = stored.parse(value);
  return { schema: parseSchema(schema), fields: storedFields.parse(value), patients, provenance: from };
}

/** Forgets the original records of a batch. */
export async function removeOwnBatch(context: AgentContext, name: BatchName): Promise<void> {
  await context.originals.remove(originalName(name));
  for (const key of context.ownColumns.keys())
    if (key.startsWith(`${originalName(name)} `)) context.ownColumns.delete(key);
}

/** The plain columns of a batch, read once per process. */
export function ownColumns(
  context: AgentContext,
  name: BatchName,
  set: ParameterSet,
): Promise<ColumnBatch[]> {
  const key = `${originalName(name)} ${set.id}`;
  let columns = context.ownColumns.get(key);
  if (!columns) {
    columns = readOwnBatch(context, name).then(
      ({ schema, fields, patients }) => packFields(schema, fields, patients.length, set).batches,
    );
    context.ownColumns.set(key, columns);
    columns.catch(() => context.ownColumns.delete(key));
  }
  return columns;
}

/**
 * Counts the own patients in every count cell of a plan, from the original records.
 *
 * @param names - the own batches that the job reads.
 * @returns patients by cell id.
 */
export async function ownCounts(
  context: AgentContext,
  plan: AnalysisPlan,
  names: readonly BatchName[],
): Promise<Map<string, number>> {
  const batches = await ownBatches(context, plan, names);
  const cells = plan.cells.filter(({ kind }) => kind === 'count');
  return new Map(cells.map(({ id, factors }) => [id, sumOfProducts(batches, factors)]));
}

/** The packed columns of own batches, from the original records. */
export async function ownBatches(
  context: AgentContext,
  plan: AnalysisPlan,
  names: readonly BatchName[],
): Promise<ColumnBatch[]> {
  const set = parameterSetById(plan.parameterSetId);
  return (await Promise.all(names.map((name) => ownColumns(context, name, set)))).flat();
}

function sumOfProducts(batches: readonly ColumnBatch[], factors: readonly string[]): number {
  let sum = 0;
  for (const { columns, rows } of batches) {
    const values = factors.map((name) => {
      const column = columns.get(name);
      if (!column) throw new ClientError('COLUMN_MISSING', `The own records have no column ${name}.`);
      return column;
    });
    for (let row = 0; row < rows; row++) {
      sum += values.reduce((product, column) => product * (column[row] ?? 0), 1);
    }
  }
  return sum;
}

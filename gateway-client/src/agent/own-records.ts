import {
  packColumns,
  parameterSetById,
  parseSchema,
  type ColumnBatch,
  type AnalysisPlan,
  type Schema,
} from '@strokeshare/fhe';
import { z } from 'zod';
import type { FieldValue } from '../load/fields.js';
import { ClientError } from '../errors.js';
import type { AgentContext } from './context.js';

/** One patient of the own dataset. */
export type OwnRecord = Readonly<Record<string, FieldValue>>;

const stored = z.strictObject({
  schema: z.unknown(),
  records: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
});
const nameOf = (datasetId: string): string => `records-${datasetId}`;

/** Keeps the original records of a dataset in the vault, the internal zone. */
export async function storeOwnRecords(
  { vault }: AgentContext,
  datasetId: string,
  schema: Schema,
  records: readonly OwnRecord[],
): Promise<void> {
  await vault.writeJson(nameOf(datasetId), { schema, records });
}

/**
 * Counts the own patients in every count cell of a plan, from the original records.
 *
 * @returns patients by cell id.
 */
export async function ownCounts(
  context: AgentContext,
  plan: AnalysisPlan,
  datasetIds: readonly string[],
): Promise<Map<string, number>> {
  const batches = await ownBatches(context, plan, datasetIds);
  const cells = plan.cells.filter(({ kind }) => kind === 'count');
  return new Map(cells.map(({ id, factors }) => [id, sumOfProducts(batches, factors)]));
}

/** The packed columns of the own datasets, from the original records. */
export async function ownBatches(
  context: AgentContext,
  plan: AnalysisPlan,
  datasetIds: readonly string[],
): Promise<ColumnBatch[]> {
  return (await Promise.all(datasetIds.map((id) => ownColumns(context, id, plan.parameterSetId)))).flat();
}

async function ownColumns(context: AgentContext, datasetId: string, setId: string): Promise<ColumnBatch[]> {
  const key = `${datasetId} ${setId}`;
  let columns = context.ownColumns.get(key);
  if (!columns) context.ownColumns.set(key, (columns = readColumns(context, datasetId, setId)));
  return columns;
}

async function readColumns(
  { vault }: AgentContext,
  datasetId: string,
  setId: string,
): Promise<ColumnBatch[]> {
  const value = await vault.readJson(nameOf(datasetId));
  if (value === undefined) {
    throw new ClientError(
      'FILE_MISSING',
      `The original records of dataset ${datasetId} are not in this vault.`,
    );
  }
  const { schema, records } = stored.parse(value);
  return packColumns(parseSchema(schema), records, parameterSetById(setId)).batches;
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

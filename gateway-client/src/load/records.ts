import type { Schema } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { readDelimited, type CellRow } from './delimited.js';
import { fieldReaders, fieldsOf, Refusal, type FieldValue } from './fields.js';
import { requireNoIdentifier } from './identifiers.js';
import { columnsOf, type Mapping } from './mapping.js';

/** One patient, as the schema knows them. */
export interface LoadedRecord {
  /** Line of the file, the header being line 1. */
  line: number;
  values: Record<string, FieldValue>;
  /** What the row says in the grouping column, where one was asked for. */
  group?: string;
}

/** A row that was left out. */
export interface RejectedRow {
  line: number;
  /** Names the field and the rule, never the patient's value. */
  reason: string;
}

/** Everything that a table gave. */
export interface LoadedTable {
  records: LoadedRecord[];
  rejected: RejectedRow[];
}

/** Options of {@link loadRecords}. */
export interface LoadOptions {
  schema: Schema;
  mapping: Mapping;
  /** A column whose text is kept beside the record (a country, say); it never becomes part of it. */
  groupBy?: string;
  /** Ends the reading between some rows and the next. */
  signal?: AbortSignal;
}

/**
 * Reads a delimited table with a header line into records of a schema. Rows that break a rule are left out and listed.
 *
 * @param bytes - the table, whole or in pieces.
 * @throws ClientError `COLUMN_MISSING`, `FILE_UNREADABLE`, `MAPPING_INVALID`, `IDENTIFIER_REFUSED`, `CANCELLED`.
 */
export async function loadRecords(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<LoadedTable> {
  const table: LoadedTable = { records: [], rejected: [] };
  for await (const rows of readRows(bytes, options)) {
    for (const row of rows) {
      if ('reason' in row) table.rejected.push(row);
      else table.records.push(row);
    }
  }
  return table;
}

/** The same some rows at a time, in memory that does not grow with the table. */
export async function* readRows(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: LoadOptions,
): AsyncGenerator<(LoadedRecord | RejectedRow)[]> {
  let read: RowReader | undefined;
  try {
    for await (const rows of readDelimited(bytes, options.mapping)) {
      if (options.signal?.aborted)
        throw new ClientError('CANCELLED', 'The reading was cancelled.', { cause: options.signal.reason });
      const [first, ...others] = rows;
      if (!read && first) {
        read = rowReader(first.cells, options);
        yield others.map(read);
      } else if (read) {
        yield rows.map(read);
      }
    }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError('FILE_UNREADABLE', `The table cannot be read: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

type RowReader = (row: CellRow) => LoadedRecord | RejectedRow;

function rowReader(header: readonly string[], { schema, mapping, groupBy }: LoadOptions): RowReader {
  requireColumns(header, schema, mapping, groupBy);
  const readers = fieldReaders(schema, mapping, (column) => header.indexOf(column));
  const group = groupBy === undefined ? undefined : header.indexOf(groupBy);
  // A copy has its fields from the start, and all records have one shape.
  const empty: Record<string, FieldValue> = Object.fromEntries(readers.map(({ name }) => [name, null]));
  return ({ line, cells }) => {
    if (cells.length !== header.length)
      return { line, reason: 'the row has not as many cells as the header' };
    const values = { ...empty };
    for (const { name, read } of readers) {
      const value = read(cells);
      if (value instanceof Refusal) return { line, reason: value.reason };
      values[name] = value;
    }
    return group === undefined ? { line, values } : { line, values, group: cells[group] ?? '' };
  };
}

/** @throws ClientError `FILE_UNREADABLE`, `COLUMN_MISSING`, `IDENTIFIER_REFUSED`. */
function requireColumns(
  header: readonly string[],
  schema: Schema,
  mapping: Mapping,
  groupBy: string | undefined,
): void {
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ClientError('FILE_UNREADABLE', `The table has two columns with the name ${twice}.`);
  }
  const columns = fieldsOf(schema).flatMap((field) => columnsOf(field, mapping));
  columns.forEach(requireNoIdentifier);
  for (const name of columns.concat(groupBy ?? [])) {
    if (!header.includes(name)) {
      throw new ClientError('COLUMN_MISSING', `The table has no column with the name ${name}.`);
    }
  }
}

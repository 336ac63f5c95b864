import type { FieldValue, PatientFields, Schema } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { readDelimited, type CellRows } from './delimited.js';
import { fieldReaders, fieldsOf, Refusal } from './fields.js';
import { requireNoIdentifier } from './identifiers.js';
import { columnsOf, type Mapping } from './mapping.js';
import { eachField } from './patient-fields.js';

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

/** Some rows of a table: of those that can be used every field, with its values in the order of the rows. */
export interface LoadedRows {
  fields: PatientFields;
  /** Of each record its line. */
  lines: readonly number[];
  /** Of each record what its row says in the grouping column, where one was asked for. */
  groups?: readonly string[];
  rejected: readonly RejectedRow[];
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
    for (const record of recordsOf(rows)) table.records.push(record);
    for (const row of rows.rejected) table.rejected.push(row);
  }
  return table;
}

/** The same some rows at a time, field by field, in memory that does not grow with the table. */
export async function* readRows(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: LoadOptions,
): AsyncGenerator<LoadedRows> {
  let read: RowReader | undefined;
  try {
    for await (const rows of readDelimited(bytes, options.mapping)) {
      if (options.signal?.aborted)
        throw new ClientError('CANCELLED', 'The reading was cancelled.', { cause: options.signal.reason });
      const [header] = rows.cells;
      if (read) {
        yield read(rows);
      } else if (header) {
        read = rowReader(header, options);
        yield read({ cells: rows.cells.slice(1), lines: rows.lines.slice(1) });
      }
    }
    if (!read)
      throw new ClientError('FILE_UNREADABLE', 'The table is empty: its first line names the columns.');
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError('FILE_UNREADABLE', `The table cannot be read: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

function recordsOf({ fields, lines, groups }: LoadedRows): LoadedRecord[] {
  const columns = [...fields];
  return lines.map((line, row) => {
    const values = Object.fromEntries(columns.map(([name, column]) => [name, column[row] ?? null]));
    return { line, values, ...(groups && { group: groups[row] ?? '' }) };
  });
}

type RowReader = (rows: CellRows) => LoadedRows;

function rowReader(header: readonly string[], { schema, mapping, groupBy }: LoadOptions): RowReader {
  requireColumns(header, schema, mapping, groupBy);
  const readers = fieldReaders(schema, mapping, (column) => header.indexOf(column));
  const group = groupBy === undefined ? undefined : header.indexOf(groupBy);
  return ({ cells, lines }) => {
    // By row, the first that is wrong with it.
    const reasons = new Map<number, string>();
    cells.forEach(({ length }, row) => {
      if (length !== header.length) reasons.set(row, 'the row has not as many cells as the header');
    });
    const fields = new Map<string, FieldValue[]>();
    for (const { name, read } of readers) {
      const values: FieldValue[] = [];
      for (const [row, own] of cells.entries()) {
        const value = read(own);
        if (!(value instanceof Refusal)) values.push(value);
        else {
          values.push(null);
          if (!reasons.has(row)) reasons.set(row, value.reason);
        }
      }
      fields.set(name, values);
    }
    const groups = group === undefined ? undefined : cells.map((row) => row[group] ?? '');
    const rows = { fields, lines, ...(groups && { groups }), rejected: [] };
    return reasons.size === 0 ? rows : withoutRejected(rows, reasons);
  };
}

/** Takes rows out, into the rejected ones. */
export function withoutRejected(
  { fields, lines, groups, rejected }: LoadedRows,
  reasons: ReadonlyMap<number, string>,
): LoadedRows {
  const stays = (_: unknown, row: number): boolean => !reasons.has(row);
  const leaving = [...reasons].map(([row, reason]) => ({ line: lines[row] ?? 0, reason }));
  return {
    fields: eachField(fields, (values) => values.filter(stays)),
    lines: lines.filter(stays),
    ...(groups && { groups: groups.filter(stays) }),
    rejected: [...rejected, ...leaving].sort((a, b) => a.line - b.line),
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

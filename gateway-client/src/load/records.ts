import { Readable } from 'node:stream';
import type { Schema } from '@strokeshare/fhe';
import { parse } from 'csv-parse';
import { ClientError } from '../errors.js';
import { fieldReaders, type FieldReader, type FieldValue } from './fields.js';
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
}

/**
 * Reads a delimited table with a header line into records of a schema. Rows that break a rule are left out and listed.
 *
 * @param bytes - the table, whole or in pieces.
 * @throws ClientError `COLUMN_MISSING`, `FILE_UNREADABLE`, `MAPPING_INVALID`, `IDENTIFIER_REFUSED`.
 */
export async function loadRecords(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<LoadedTable> {
  const table: LoadedTable = { records: [], rejected: [] };
  for await (const row of readRows(bytes, options)) {
    if ('reason' in row) table.rejected.push(row);
    else table.records.push(row);
  }
  return table;
}

/** The same one by one, in memory that does not grow with the table. */
export async function* readRows(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { schema, mapping, groupBy }: LoadOptions,
): AsyncGenerator<LoadedRecord | RejectedRow> {
  const readers = fieldReaders(schema, mapping);
  const parser = parse({
    columns: (header: string[]) => checkedHeader(header, readers, mapping, groupBy),
    delimiter: mapping.delimiter,
    info: true,
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
  });
  const source = Readable.from(decode(bytes, mapping.encoding));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const row of parser as AsyncIterable<CsvRow>) yield toRecord(row, readers, groupBy);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError('FILE_UNREADABLE', `The table cannot be read: ${(cause as Error).message}.`, {
      cause,
    });
  } finally {
    source.destroy();
    parser.destroy();
  }
}

interface CsvRow {
  record: Record<string, string>;
  info: { lines: number; error?: Error | undefined };
}

function toRecord(
  { record, info }: CsvRow,
  readers: ReadonlyMap<string, FieldReader>,
  groupBy: string | undefined,
): LoadedRecord | RejectedRow {
  if (info.error) return { line: info.lines, reason: 'the row has not as many cells as the header' };
  const values: Record<string, FieldValue> = {};
  for (const [name, read] of readers) {
    const result = read(record);
    if ('reason' in result) return { line: info.lines, reason: result.reason };
    values[name] = result.value;
  }
  return groupBy === undefined
    ? { line: info.lines, values }
    : { line: info.lines, values, group: record[groupBy] ?? '' };
}

function checkedHeader(
  header: string[],
  readers: ReadonlyMap<string, FieldReader>,
  mapping: Mapping,
  groupBy: string | undefined,
): (string | false)[] {
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ClientError('FILE_UNREADABLE', `The table has two columns with the name ${twice}.`);
  }
  const columns = [...readers.keys()].flatMap((field) => columnsOf(field, mapping));
  columns.forEach(requireNoIdentifier);
  const read = new Set(columns.concat(groupBy ?? []));
  for (const name of read) {
    if (!header.includes(name)) {
      throw new ClientError('COLUMN_MISSING', `The table has no column with the name ${name}.`);
    }
  }
  // Nothing is made of a column that no field is read from.
  return header.map((name) => read.has(name) && name);
}

async function* decode(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<string> {
  const decoder = decoderOf(encoding);
  for await (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
    yield decoder.decode(piece, { stream: true });
  }
  yield decoder.decode();
}

function decoderOf(encoding: string) {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new ClientError('MAPPING_INVALID', `The encoding ${encoding} is not known.`, { cause });
  }
}

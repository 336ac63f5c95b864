import type { FieldValue, Schema, Variable } from '@strokeshare/fhe';
import type { FieldMapping, Mapping } from './mapping.js';
import { readRows } from './records.js';

/** Lines that are named for each reason of a rejection. */
const LINES_NAMED = 5;

/** Rows that one rule left out. */
export interface Rejection {
  /** Names the field and the rule, never a value. */
  reason: string;
  rows: number;
  /** The first of them. */
  lines: number[];
}

/** What was read of one field of the records. */
export interface FieldProfile {
  field: string;
  recorded: number;
  missing: number;
  /** Of numbers. */
  numbers?: { minimum: number; maximum: number; mean: number; standardDeviation: number };
  /** Of levels and truths: patients by code, in the schema's order. */
  levels?: Record<string, number>;
  /** How the mapping coarsened it, in words. */
  generalised?: string;
}

/** What a table holds, for whoever loads it; it stays with the institution. */
export interface TableProfile {
  schema: { name: string; version: string };
  rows: number;
  accepted: number;
  rejections: Rejection[];
  fields: FieldProfile[];
}

/** Told how many rows were read so far, and of every one that was left out. */
export interface ProfileWatch {
  onRows?: (rows: number) => void;
  onRejected?: (line: number, reason: string) => void | Promise<void>;
}

/**
 * Reads a whole table as loading would, and says what it holds. Nothing is kept: the memory does not grow with the
 * table.
 *
 * @throws what `readRows` throws.
 */
export async function profileTable(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { schema, mapping, ...others }: { schema: Schema; mapping: Mapping; signal?: AbortSignal },
  { onRows, onRejected }: ProfileWatch = {},
): Promise<TableProfile> {
  const rejections = new Map<string, Rejection>();
  const fields = schema.variables.flatMap((variable) => talliesOf(variable, mapping));
  let rows = 0;
  let accepted = 0;
  for await (const read of readRows(bytes, { schema, mapping, ...others })) {
    for (const { line, reason } of read.rejected) {
      const rejection = rejections.get(reason) ?? { reason, rows: 0, lines: [] };
      rejection.rows += 1;
      if (rejection.lines.length < LINES_NAMED) rejection.lines.push(line);
      rejections.set(reason, rejection);
      await onRejected?.(line, reason);
    }
    for (const { field, add } of fields) read.fields.get(field)?.forEach(add);
    accepted += read.lines.length;
    rows += read.lines.length + read.rejected.length;
    onRows?.(rows);
  }
  return {
    schema: { name: schema.name, version: schema.version },
    rows,
    accepted,
    rejections: [...rejections.values()].sort((a, b) => b.rows - a.rows),
    fields: fields.map(({ profile }) => profile()),
  };
}

interface Tally {
  field: string;
  add: (value: FieldValue) => void;
  profile: () => FieldProfile;
}

function talliesOf(variable: Variable, mapping: Mapping): Tally[] {
  const generalised = (field: string): string | undefined => rulesOf(mapping.fields[field]);
  switch (variable.kind) {
    case 'numeric':
      return [numbersOf(variable.name, generalised(variable.name))];
    case 'boolean':
      return [levelsOf(variable.name, ['true', 'false'], generalised(variable.name))];
    case 'categorical':
    case 'ordinal':
      return [
        levelsOf(
          variable.name,
          variable.levels.map(({ code }) => code),
          generalised(variable.name),
        ),
      ];
    case 'timeToEvent':
      return [
        numbersOf(variable.time, generalised(variable.time)),
        levelsOf(variable.event, ['true', 'false'], generalised(variable.event)),
      ];
  }
}

/** Mean and deviation in one pass: Welford, Technometrics 1962;4:419-420. */
function numbersOf(field: string, generalised: string | undefined): Tally {
  let recorded = 0;
  let missing = 0;
  let [minimum, maximum, mean, squares] = [Infinity, -Infinity, 0, 0];
  return {
    field,
    add(value) {
      if (typeof value !== 'number') {
        missing += 1;
        return;
      }
      recorded += 1;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
      const before = value - mean;
      mean += before / recorded;
      squares += before * (value - mean);
    },
    profile: () => ({
      ...{ field, recorded, missing },
      ...(recorded > 0 && {
        numbers: {
          minimum,
          maximum,
          mean,
          standardDeviation: Math.sqrt(squares / Math.max(1, recorded - 1)),
        },
      }),
      ...(generalised !== undefined && { generalised }),
    }),
  };
}

function levelsOf(field: string, codes: readonly string[], generalised: string | undefined): Tally {
  const counts = new Map(codes.map((code) => [code, 0]));
  let missing = 0;
  return {
    field,
    add(value) {
      if (value === null) missing += 1;
      else counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    },
    profile: () => ({
      field,
      recorded: [...counts.values()].reduce((sum, count) => sum + count, 0),
      missing,
      levels: Object.fromEntries(counts),
      ...(generalised !== undefined && { generalised }),
    }),
  };
}

/** The rules by which a mapping coarsens a field, in words. */
function rulesOf(field: FieldMapping | undefined): string | undefined {
  if (!field) return undefined;
  const { bands, roundTo, atMost } = field;
  const rules = [
    bands && `in bands from ${bands.slice(0, -1).join(', ')} on`,
    roundTo !== undefined && `rounded to ${roundTo}`,
    atMost !== undefined && `${atMost} stands for more, too`,
  ].filter((rule) => typeof rule === 'string');
  return rules.length > 0 ? rules.join('; ') : undefined;
}

/** Records to packed columns: one slot for each patient, one vector for each column and batch. */
import { FheError } from '../errors.js';
import {
  censoredColumn,
  eventColumn,
  isLevelled,
  levelCodes,
  levelColumn,
  ROW_COLUMN,
  scalingOf,
  validColumn,
  variableColumns,
} from '../schema/columns.js';
import {
  type LevelledVariable,
  type NumericVariable,
  type Schema,
  type TimeToEventVariable,
  type Variable,
} from '../schema/schema.js';

/** One patient: field name to value. Absent, null and the empty string mean not recorded. */
export type PatientRecord = Readonly<Record<string, string | number | boolean | null>>;

/** The packed columns of up to `slots` patients. */
export interface ColumnBatch {
  /** Patients in the batch; the slots behind them are 0 in every column. */
  rows: number;
  /** Column name to `slots` values, each in [-1, 1]. */
  columns: Map<string, Float64Array<ArrayBuffer>>;
}

/** A place to write to, kept together so that every rule can name the record it refuses. */
interface Slot {
  batch: ColumnBatch;
  index: number;
  /** Position of the record in the input, counted from 1. */
  row: number;
}

/**
 * Packs records by the schema, in their order, `slots` patients to a batch. Fields that the schema does not know are
 * left out.
 * @throws FheError RECORD_INVALID naming the row and the variable, never the patient's value.
 */
export function packColumns(
  schema: Schema,
  records: readonly PatientRecord[],
  set: { readonly slots: number },
): { batches: ColumnBatch[] } {
  const batches: ColumnBatch[] = [];
  for (let start = 0; start < records.length; start += set.slots) {
    const part = records.slice(start, start + set.slots);
    const batch = emptyBatch(schema, part.length, set.slots);
    part.forEach((record, index) => {
      const slot = { batch, index, row: start + index + 1 };
      write(slot, ROW_COLUMN, 1);
      for (const variable of schema.variables) packVariable(variable, record, slot);
    });
    batches.push(batch);
  }
  return { batches };
}

function emptyBatch(schema: Schema, rows: number, slots: number): ColumnBatch {
  const names = [ROW_COLUMN, ...schema.variables.flatMap(variableColumns)];
  return { rows, columns: new Map(names.map((name) => [name, new Float64Array(slots)])) };
}

function packVariable(variable: Variable, record: PatientRecord, slot: Slot): void {
  const recorded = isLevelled(variable)
    ? packLevel(variable, record, slot)
    : variable.kind === 'numeric'
      ? packNumber(variable, record, slot)
      : packTime(variable, record, slot);
  if (!variable.missing && !recorded)
    throw refused(slot.row, variable.name, 'is not recorded, and the schema requires it');
  if (variable.missing && recorded) write(slot, validColumn(variable.name), 1);
}

function packNumber(variable: NumericVariable, record: PatientRecord, slot: Slot): boolean {
  const value = numberOf(record, variable.name, variable.name, slot.row);
  if (value === undefined) return false;
  if (value < variable.minimum || value > variable.maximum)
    throw refused(
      slot.row,
      variable.name,
      `is outside the schema's range ${variable.minimum} to ${variable.maximum}`,
    );
  const { middle, half } = scalingOf(variable);
  write(slot, variable.name, Math.min(1, Math.max(-1, (value - middle) / half)));
  return true;
}

function packLevel(variable: LevelledVariable, record: PatientRecord, slot: Slot): boolean {
  const value = field(record, variable.name);
  if (value === undefined) return false;
  const code = String(value);
  const codes = levelCodes(variable);
  if (!codes.includes(code))
    throw refused(
      slot.row,
      variable.name,
      `is none of the schema's levels (${codes.slice(0, 12).join(', ')})`,
    );
  write(slot, levelColumn(variable.name, code), 1);
  return true;
}

function packTime(variable: TimeToEventVariable, record: PatientRecord, slot: Slot): boolean {
  const time = numberOf(record, variable.time, variable.name, slot.row);
  const event = flagOf(record, variable, slot.row);
  if (time === undefined || event === undefined) return false;
  if (time < 0) throw refused(slot.row, variable.name, 'has a negative time');
  const point = variable.grid.find((end) => time <= end);
  if (point !== undefined)
    write(slot, event ? eventColumn(variable.name, point) : censoredColumn(variable.name, point), 1);
  return true;
}

function field(record: PatientRecord, name: string): string | number | boolean | undefined {
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  return value === null || value === '' ? undefined : value;
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function numberOf(record: PatientRecord, name: string, variable: string, row: number): number | undefined {
  const value = field(record, name);
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw refused(row, variable, 'is not a number');
  return number;
}

function flagOf(record: PatientRecord, variable: TimeToEventVariable, row: number): boolean | undefined {
  const value = field(record, variable.event);
  if (value === undefined) return undefined;
  const text = String(value);
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw refused(row, variable.name, 'has an event field that is neither 1/0 nor true/false');
}

function write(slot: Slot, column: string, value: number): void {
  const target = slot.batch.columns.get(column);
  if (!target) throw new TypeError(`column ${column} was not laid out`);
  target[slot.index] = value;
}

function refused(row: number, variable: string, reason: string): FheError {
  return new FheError('RECORD_INVALID', `Row ${row}: ${variable} ${reason}.`);
}

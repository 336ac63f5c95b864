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

/** A value of a patient's field. Null and the empty string mean not recorded. */
export type FieldValue = string | number | boolean | null;

/** One patient: field name to value. An absent field is not recorded. */
export type PatientRecord = Readonly<Record<string, FieldValue>>;

/** Patients field by field: name to the values of all of them, each patient at one index in every field. */
export type PatientFields = ReadonlyMap<string, readonly FieldValue[]>;

/** The packed columns of up to `slots` patients. */
export interface ColumnBatch {
  /** Patients in the batch; the slots behind them are 0 in every column. */
  rows: number;
  /** Column name to `slots` values, each in [-1, 1]. */
  columns: Map<string, Float64Array<ArrayBuffer>>;
}

/** A column under way. */
type Column = Float64Array<ArrayBuffer>;

/** Some patients of one batch, on the way to its columns. */
interface Part {
  fields: PatientFields;
  columns: ReadonlyMap<string, Column>;
  /** The first of them, who has slot 0, and the one behind the last. */
  start: number;
  end: number;
}

/** Why a patient is refused. */
class Refusal extends Error {
  constructor(
    readonly row: number,
    variable: string,
    reason: string,
  ) {
    super(`Row ${row + 1}: ${variable} ${reason}.`);
  }
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
  const fields = schema.variables.flatMap(fieldsOf);
  const values = (field: string): FieldValue[] => records.map((record) => record[field] ?? null);
  return packFields(schema, new Map(fields.map((field) => [field, values(field)])), records.length, set);
}

/**
 * The same of patients field by field, as tables are read: no record becomes an object.
 *
 * @param patients - how many there are.
 * @throws what {@link packColumns} throws.
 */
export function packFields(
  schema: Schema,
  fields: PatientFields,
  patients: number,
  { slots }: { readonly slots: number },
): { batches: ColumnBatch[] } {
  const batches: ColumnBatch[] = [];
  for (let start = 0; start < patients; start += slots)
    batches.push(packBatch(schema, fields, start, Math.min(patients, start + slots), slots));
  return { batches };
}

function packBatch(
  schema: Schema,
  fields: PatientFields,
  start: number,
  end: number,
  slots: number,
): ColumnBatch {
  const names = [ROW_COLUMN, ...schema.variables.flatMap(variableColumns)];
  const columns = new Map(names.map((name) => [name, new Float64Array(slots)]));
  columns.get(ROW_COLUMN)?.fill(1, 0, end - start);
  // Of all rows that are refused the first is named: nothing behind it is looked at any more.
  let refusal: Refusal | undefined;
  for (const variable of schema.variables) {
    try {
      packVariable(variable, { fields, columns, start, end: refusal?.row ?? end });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusal = error;
    }
  }
  if (refusal) throw new FheError('RECORD_INVALID', refusal.message);
  return { rows: end - start, columns };
}

function packVariable(variable: Variable, part: Part): void {
  if (isLevelled(variable)) packLevels(variable, part);
  else if (variable.kind === 'numeric') packNumbers(variable, part);
  else packTimes(variable, part);
}

/** The fields of a record that a variable is made of. */
function fieldsOf(variable: Variable): string[] {
  return variable.kind === 'timeToEvent' ? [variable.time, variable.event] : [variable.name];
}

function packNumbers(variable: NumericVariable, part: Part): void {
  const { name, minimum, maximum } = variable;
  const { middle, half } = scalingOf(variable);
  const column = columnOf(part, name);
  const recorded = recorder(variable, part);
  const values = part.fields.get(name) ?? [];
  for (let row = part.start; row < part.end; row += 1) {
    const value = numberOf(values[row], row, name);
    if (!recorded(value !== undefined, row) || value === undefined) continue;
    if (value < minimum || value > maximum)
      throw new Refusal(row, name, `is outside the schema's range ${minimum} to ${maximum}`);
    column[row - part.start] = Math.min(1, Math.max(-1, (value - middle) / half));
  }
}

function packLevels(variable: LevelledVariable, part: Part): void {
  const { name } = variable;
  const codes = levelCodes(variable);
  const columns = new Map(codes.map((code) => [code, columnOf(part, levelColumn(name, code))]));
  const recorded = recorder(variable, part);
  const values = part.fields.get(name) ?? [];
  for (let row = part.start; row < part.end; row += 1) {
    const value = valueOf(values[row]);
    if (!recorded(value !== undefined, row)) continue;
    const column = columns.get(String(value));
    if (!column)
      throw new Refusal(row, name, `is none of the schema's levels (${codes.slice(0, 12).join(', ')})`);
    column[row - part.start] = 1;
  }
}

function packTimes(variable: TimeToEventVariable, part: Part): void {
  const { name, grid } = variable;
  const events = grid.map((point) => columnOf(part, eventColumn(name, point)));
  const censored = grid.map((point) => columnOf(part, censoredColumn(name, point)));
  const recorded = recorder(variable, part);
  const times = part.fields.get(variable.time) ?? [];
  const flags = part.fields.get(variable.event) ?? [];
  for (let row = part.start; row < part.end; row += 1) {
    const time = numberOf(times[row], row, name);
    const event = flagOf(flags[row], row, name);
    if (!recorded(time !== undefined && event !== undefined, row) || time === undefined) continue;
    if (time < 0) throw new Refusal(row, name, 'has a negative time');
    const column = (event ? events : censored)[grid.findIndex((end) => time <= end)];
    if (column) column[row - part.start] = 1;
  }
}

/** Notes whether a variable is recorded of a patient, and refuses one of whom it has to be. */
function recorder(variable: Variable, part: Part): (recorded: boolean, row: number) => boolean {
  const valid = variable.missing ? columnOf(part, validColumn(variable.name)) : undefined;
  return (recorded, row) => {
    if (!recorded && !valid)
      throw new Refusal(row, variable.name, 'is not recorded, and the schema requires it');
    if (recorded && valid) valid[row - part.start] = 1;
    return recorded;
  };
}

function columnOf({ columns }: Part, name: string): Column {
  const column = columns.get(name);
  if (!column) throw new TypeError(`the schema has no column ${name}`);
  return column;
}

/** What every object inherits is an object or a function, and so never taken for a value. */
function valueOf(field: FieldValue | undefined): string | number | boolean | undefined {
  if (typeof field === 'number' || typeof field === 'boolean') return field;
  return typeof field === 'string' && field !== '' ? field : undefined;
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function numberOf(field: FieldValue | undefined, row: number, variable: string): number | undefined {
  const value = valueOf(field);
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new Refusal(row, variable, 'is not a number');
  return number;
}

function flagOf(field: FieldValue | undefined, row: number, variable: string): boolean | undefined {
  const value = valueOf(field);
  if (value === undefined) return undefined;
  const text = String(value);
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new Refusal(row, variable, 'has an event field that is neither 1/0 nor true/false');
}

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

/** A column under way. */
type Column = Float64Array<ArrayBuffer>;

/** Writes what one variable says of a patient into its slot; false where it is not recorded. */
type Packer = (record: PatientRecord, slot: number) => boolean;

/** Why a record is refused, without the row that only the caller knows. */
class Refusal extends Error {
  constructor(variable: string, reason: string) {
    super(`${variable} ${reason}`);
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
  const batches: ColumnBatch[] = [];
  for (let start = 0; start < records.length; start += set.slots)
    batches.push(packBatch(schema, records, start, Math.min(records.length, start + set.slots), set.slots));
  return { batches };
}

function packBatch(
  schema: Schema,
  records: readonly PatientRecord[],
  start: number,
  end: number,
  slots: number,
): ColumnBatch {
  const names = [ROW_COLUMN, ...schema.variables.flatMap(variableColumns)];
  const columns = new Map(names.map((name) => [name, new Float64Array(slots)]));
  const packers = schema.variables.map((variable) => packerOf(variable, columns));
  columns.get(ROW_COLUMN)?.fill(1, 0, end - start);
  for (let row = start; row < end; row += 1) {
    const record = records[row] ?? {};
    try {
      for (const pack of packers) pack(record, row - start);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new FheError('RECORD_INVALID', `Row ${row + 1}: ${error.message}.`);
    }
  }
  return { rows: end - start, columns };
}

/** Everything that depends on the variable alone is done once here, not for each patient. */
function packerOf(variable: Variable, columns: ReadonlyMap<string, Column>): Packer {
  const column = (name: string): Column => {
    const values = columns.get(name);
    if (!values) throw new TypeError(`the schema has no column ${name}`);
    return values;
  };
  const pack = isLevelled(variable)
    ? levelPacker(variable, column)
    : variable.kind === 'numeric'
      ? numberPacker(variable, column(variable.name))
      : timePacker(variable, column);
  const valid = variable.missing ? column(validColumn(variable.name)) : undefined;
  return (record, slot) => {
    const recorded = pack(record, slot);
    if (valid && recorded) valid[slot] = 1;
    if (!valid && !recorded) throw new Refusal(variable.name, 'is not recorded, and the schema requires it');
    return recorded;
  };
}

function numberPacker(variable: NumericVariable, column: Column): Packer {
  const { name, minimum, maximum } = variable;
  const { middle, half } = scalingOf(variable);
  return (record, slot) => {
    const value = numberOf(record, name, name);
    if (value === undefined) return false;
    if (value < minimum || value > maximum)
      throw new Refusal(name, `is outside the schema's range ${minimum} to ${maximum}`);
    column[slot] = Math.min(1, Math.max(-1, (value - middle) / half));
    return true;
  };
}

function levelPacker(variable: LevelledVariable, columnOf: (name: string) => Column): Packer {
  const { name } = variable;
  const codes = levelCodes(variable);
  const columns = new Map(codes.map((code) => [code, columnOf(levelColumn(name, code))]));
  return (record, slot) => {
    const value = field(record, name);
    if (value === undefined) return false;
    const column = columns.get(String(value));
    if (!column) throw new Refusal(name, `is none of the schema's levels (${codes.slice(0, 12).join(', ')})`);
    column[slot] = 1;
    return true;
  };
}

function timePacker(variable: TimeToEventVariable, columnOf: (name: string) => Column): Packer {
  const { name, grid } = variable;
  const events = grid.map((point) => columnOf(eventColumn(name, point)));
  const censored = grid.map((point) => columnOf(censoredColumn(name, point)));
  return (record, slot) => {
    const time = numberOf(record, variable.time, name);
    const event = flagOf(record, variable);
    if (time === undefined || event === undefined) return false;
    if (time < 0) throw new Refusal(name, 'has a negative time');
    const column = (event ? events : censored)[grid.findIndex((end) => time <= end)];
    if (column) column[slot] = 1;
    return true;
  };
}

/** What every object inherits is an object or a function, and so never taken for a value. */
function field(record: PatientRecord, name: string): string | number | boolean | undefined {
  const value = record[name];
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function numberOf(record: PatientRecord, name: string, variable: string): number | undefined {
  const value = field(record, name);
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw new Refusal(variable, 'is not a number');
  return number;
}

function flagOf(record: PatientRecord, { name, event }: TimeToEventVariable): boolean | undefined {
  const value = field(record, event);
  if (value === undefined) return undefined;
  const text = String(value);
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new Refusal(name, 'has an event field that is neither 1/0 nor true/false');
}

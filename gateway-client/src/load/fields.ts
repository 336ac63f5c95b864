import type { Schema, Variable } from '@strokeshare/fhe';
import { columnsOf, type FieldMapping, type Mapping } from './mapping.js';

/** A value of a record as the packing of columns takes it; null where it is not known. */
export type FieldValue = string | number | boolean | null;

/** Reads one field of a row: its value, or why the row cannot be used. */
export type FieldReader = (
  row: Readonly<Record<string, string>>,
) => { value: FieldValue } | { reason: string };

type TextReader = (text: string) => ReturnType<FieldReader>;

/** The fields of a record that a schema asks for, each with the reader that its kind needs. */
export function fieldReaders(schema: Schema, mapping: Mapping): Map<string, FieldReader> {
  return new Map(schema.variables.flatMap((variable) => readersOf(variable, mapping)));
}

function readersOf(variable: Variable, mapping: Mapping): [string, FieldReader][] {
  const field = (name: string, read: TextReader): [string, FieldReader] => {
    const readText = reader(name, mapping.fields[name], variable.missing ?? false, read);
    const columns = columnsOf(name, mapping);
    if (columns.length === 1) return [name, (row) => readText(row[columns[0] ?? ''] ?? '')];
    return [
      name,
      (row) =>
        readText(
          anyOf(
            columns.map((column) => row[column] ?? ''),
            mapping,
          ),
        ),
    ];
  };
  switch (variable.kind) {
    case 'numeric':
      return [field(variable.name, number(variable.minimum, variable.maximum))];
    case 'boolean':
      return [field(variable.name, truth(mapping))];
    case 'categorical':
    case 'ordinal':
      return [field(variable.name, level(variable.levels.map(({ code }) => code)))];
    case 'timeToEvent':
      return [field(variable.time, number(0, Infinity)), field(variable.event, truth(mapping))];
  }
}

function reader(
  name: string,
  field: FieldMapping | undefined,
  mayMiss: boolean,
  read: TextReader,
): TextReader {
  const missing = new Set(['', ...(field?.missing ?? [])]);
  const recode = field?.recode ?? {};
  return (text) => {
    const recoded = recode[text] ?? text;
    if (missing.has(text) || missing.has(recoded)) {
      return mayMiss ? { value: null } : { reason: `${name} is not recorded, and the schema requires it` };
    }
    const result = read(field ? generalised(recoded, field) : recoded);
    return 'reason' in result ? { reason: `${name} ${result.reason}` } : result;
  };
}

/** 1 where any column is true, 0 where all are false, empty where that is not known. */
function anyOf(texts: readonly string[], { truths, falsehoods }: Mapping): string {
  if (texts.some((text) => truths.includes(text))) return '1';
  return texts.every((text) => falsehoods.includes(text)) ? '0' : '';
}

/** A quasi-identifier by the mapping's rule; what is no number stays, for the schema to refuse. */
function generalised(text: string, { bands, roundTo, atMost }: FieldMapping): string {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) return text;
  if (bands) {
    const band = bands.findIndex((first, i) => number >= first && number < (bands[i + 1] ?? -Infinity));
    return band < 0 ? text : `${bands[band]}-${(bands[band + 1] ?? 0) - 1}`;
  }
  const rounded = roundTo === undefined ? number : Math.round(number / roundTo) * roundTo;
  const capped = atMost === undefined ? rounded : Math.min(rounded, atMost);
  return capped === number ? text : String(capped);
}

// A reason never repeats the value: it may be printed, and the value is a patient's.
function number(minimum: number, maximum: number): TextReader {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) return { reason: 'is not a number' };
    if (value < minimum || value > maximum) return { reason: `is outside ${minimum} to ${maximum}` };
    return { value };
  };
}

function truth(mapping: Mapping): TextReader {
  return (text) => {
    if (mapping.truths.includes(text)) return { value: true };
    if (mapping.falsehoods.includes(text)) return { value: false };
    return { reason: 'is neither true nor false' };
  };
}

function level(codes: readonly string[]): TextReader {
  return (text) => (codes.includes(text) ? { value: text } : { reason: `is none of ${codes.join(', ')}` });
}

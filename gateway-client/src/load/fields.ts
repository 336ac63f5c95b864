import type { Schema, Variable } from '@strokeshare/fhe';
import type { FieldMapping, Mapping } from './mapping.js';

/** A value of a record as the packing of columns takes it; null where it is not known. */
export type FieldValue = string | number | boolean | null;

/** Reads one field of a row: its value, or why the row cannot be used. */
export type FieldReader = (text: string) => { value: FieldValue } | { reason: string };

/** The fields of a record that a schema asks for, each with the reader that its kind needs. */
export function fieldReaders(schema: Schema, mapping: Mapping): Map<string, FieldReader> {
  return new Map(schema.variables.flatMap((variable) => readersOf(variable, mapping)));
}

function readersOf(variable: Variable, mapping: Mapping): [string, FieldReader][] {
  const field = (name: string, read: FieldReader): [string, FieldReader] => [
    name,
    reader(name, mapping.fields[name], variable.missing ?? false, read),
  ];
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
  read: FieldReader,
): FieldReader {
  const missing = new Set(['', ...(field?.missing ?? [])]);
  const recode = field?.recode ?? {};
  return (text) => {
    const recoded = recode[text] ?? text;
    if (missing.has(text) || missing.has(recoded)) {
      return mayMiss ? { value: null } : { reason: `${name} is not recorded, and the schema requires it` };
    }
    const result = read(recoded);
    return 'reason' in result ? { reason: `${name} ${result.reason}` } : result;
  };
}

// A reason never repeats the value: it may be printed, and the value is a patient's.
function number(minimum: number, maximum: number): FieldReader {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) return { reason: 'is not a number' };
    if (value < minimum || value > maximum) return { reason: `is outside ${minimum} to ${maximum}` };
    return { value };
  };
}

function truth(mapping: Mapping): FieldReader {
  return (text) => {
    if (mapping.truths.includes(text)) return { value: true };
    if (mapping.falsehoods.includes(text)) return { value: false };
    return { reason: 'is neither true nor false' };
  };
}

function level(codes: readonly string[]): FieldReader {
  return (text) => (codes.includes(text) ? { value: text } : { reason: `is none of ${codes.join(', ')}` });
}

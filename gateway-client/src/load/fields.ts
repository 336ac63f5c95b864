import type { FieldValue, Schema, Variable } from '@strokeshare/fhe';
import { patientComposite } from '../statistics/index.js';
import { columnsOf, type FieldMapping, type Mapping } from './mapping.js';

/** Why a row cannot be used: the field and the rule, never the patient's value. */
export class Refusal {
  constructor(readonly reason: string) {}
}

/** Reads one field from the cells of a row. */
export type FieldReader = (cells: readonly string[]) => FieldValue | Refusal;

/** A field of a record, with the reader that its kind and mapping need. */
export interface Field {
  name: string;
  read: FieldReader;
}

/** The same from the text of its cell. */
type TextReader = (text: string) => FieldValue | Refusal;

/** The fields of a record that a schema asks for. */
export function fieldsOf(schema: Schema): string[] {
  return schema.variables.flatMap((variable) =>
    variable.kind === 'timeToEvent' ? [variable.time, variable.event] : [variable.name],
  );
}

/**
 * A reader for each field, made for what its kind and mapping need: tables have millions of cells.
 *
 * @param positionOf - where a column stands in every row.
 */
export function fieldReaders(
  schema: Schema,
  mapping: Mapping,
  positionOf: (column: string) => number,
): Field[] {
  return schema.variables.flatMap((variable) => readersOf(variable, mapping, positionOf));
}

function readersOf(variable: Variable, mapping: Mapping, positionOf: (column: string) => number): Field[] {
  const field = (name: string, readerOf: (name: string) => TextReader, range = ANY): Field => {
    const readText = reader(name, mapping.fields[name], variable.missing ?? false, readerOf(name), range);
    const [first = 0, ...others] = columnsOf(name, mapping).map(positionOf);
    const own = mapping.fields[name];
    if (!own || others.length === 0) return { name, read: (cells) => readText(cells[first] ?? '') };
    const positions = [first, ...others];
    const combine = combination(own, mapping);
    return {
      name,
      read: (cells) => readText(combine(positions.map((position) => cells[position] ?? ''))),
    };
  };
  const truthOf = (name: string): TextReader =>
    truth(columnsOf(name, mapping).length > 1 ? COMBINED : mapping)(name);
  switch (variable.kind) {
    case 'numeric':
      return [field(variable.name, number(variable.minimum, variable.maximum), variable)];
    case 'boolean':
      return [field(variable.name, truthOf)];
    case 'categorical':
    case 'ordinal':
      return [field(variable.name, level(variable.levels.map(({ code }) => code)))];
    case 'timeToEvent':
      return [field(variable.time, number(0, Infinity)), field(variable.event, truthOf)];
  }
}

/** What a number may be. */
interface Range {
  minimum: number;
  maximum: number;
}

const ANY: Range = { minimum: -Infinity, maximum: Infinity };

function reader(
  name: string,
  field: FieldMapping | undefined,
  mayMiss: boolean,
  read: TextReader,
  range: Range,
): TextReader {
  const unknown = mayMiss ? null : new Refusal(`${name} is not recorded, and the schema requires it`);
  if (!field) return (text) => (text === '' ? unknown : read(text));
  const missing = new Set(['', ...field.missing]);
  const recode = new Map(Object.entries(field.recode));
  return (text) => {
    const recoded = recode.get(text) ?? text;
    if (missing.has(text) || missing.has(recoded)) return unknown;
    return read(generalised(recoded, field, range));
  };
}

/** What several columns are combined to, however the table writes true and false. */
const COMBINED = { truths: ['1'], falsehoods: ['0'] };

/** Makes one text of several cells. */
function combination(
  field: FieldMapping,
  { truths, falsehoods }: Mapping,
): (texts: readonly string[]) => string {
  if (field.anyOf)
    return (texts) => {
      if (texts.some((text) => truths.includes(text))) return '1';
      return texts.every((text) => falsehoods.includes(text)) ? '0' : '';
    };
  const known = [...truths, ...falsehoods];
  const without = ['', ...field.missing];
  return (texts) => {
    // What is neither is refused by the field's own reader.
    const neither = texts.find((text) => !known.includes(text) && !without.includes(text));
    if (neither !== undefined) return `? ${neither}`;
    const composite = patientComposite(
      texts.map((text) => (without.includes(text) ? null : truths.includes(text))),
    );
    if (!composite) return '';
    return field.shareMet ? String(composite.share) : String(Number(composite.allMet));
  };
}

/** A quasi-identifier by the mapping's rule; what is no number stays, for the schema to refuse. */
function generalised(text: string, { bands, roundTo, atMost }: FieldMapping, range: Range): string {
  if (!bands && roundTo === undefined && atMost === undefined) return text;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) return text;
  if (bands) {
    const band = bands.findIndex((first, i) => number >= first && number < (bands[i + 1] ?? -Infinity));
    return band < 0 ? text : `${bands[band]}-${(bands[band + 1] ?? 0) - 1}`;
  }
  const rounded = roundTo === undefined ? number : nearest(number, roundTo, range);
  const capped = atMost === undefined ? rounded : Math.min(rounded, atMost);
  return capped === number ? text : String(capped);
}

/** The nearest multiple; of a number that the schema allows, the nearest that it allows as well. */
function nearest(number: number, step: number, { minimum, maximum }: Range): number {
  // 429 times 0.1 are 42.9.
  const multiple = (times: number): number => Number((times * step).toPrecision(12));
  const times = Math.round(number / step);
  if (number <= maximum && multiple(times) > maximum) return multiple(times - 1);
  if (number >= minimum && multiple(times) < minimum) return multiple(times + 1);
  return multiple(times);
}

/** Codes that JavaScript takes for numbers of another base. */
const PREFIXED = /^\s*0[box]/i;

// A reason never repeats the value: it may be printed, and the value is a patient's.
const number =
  (minimum: number, maximum: number) =>
  (name: string): TextReader => {
    const none = new Refusal(`${name} is not a number`);
    const outside = new Refusal(`${name} is outside ${minimum} to ${maximum}`);
    return (text) => {
      const value = PREFIXED.test(text) ? Number.NaN : Number(text);
      // Blanks are 0 to JavaScript.
      if (!Number.isFinite(value) || (value === 0 && text.trim() === '')) return none;
      return value < minimum || value > maximum ? outside : value;
    };
  };

const truth =
  ({ truths, falsehoods }: Pick<Mapping, 'truths' | 'falsehoods'>) =>
  (name: string): TextReader => {
    const neither = new Refusal(`${name} is neither true nor false`);
    return (text) => {
      if (truths.includes(text)) return true;
      return falsehoods.includes(text) ? false : neither;
    };
  };

const level =
  (codes: readonly string[]) =>
  (name: string): TextReader => {
    const none = new Refusal(`${name} is none of ${codes.join(', ')}`);
    const known = new Set(codes);
    return (text) => (known.has(text) ? text : none);
  };

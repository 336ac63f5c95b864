/** Which columns a variable has, and what they are called. The names are part of the public format. */
import {
  type LevelledVariable,
  type NumericVariable,
  type Schema,
  type TimeToEventVariable,
  type Variable,
} from './schema.js';

/** 1 for every patient of the batch, 0 in the slots behind them. */
export const ROW_COLUMN = '_row';

/** 1 where the variable is recorded; only variables that may be missing have it. */
export const validColumn = (name: string): string => `${name}:valid`;

/** 1 where the variable has this level. */
export const levelColumn = (name: string, code: string): string => `${name}=${code}`;

/** 1 where the event falls into the interval that ends at this grid point. */
export const eventColumn = (name: string, point: number): string => `${name}:event@${point}`;

/** 1 where observation ends without the event in the interval that ends at this grid point. */
export const censoredColumn = (name: string, point: number): string => `${name}:censored@${point}`;

/** The level codes of a categorical, ordinal or boolean variable, in the schema's order. */
export function levelCodes(variable: LevelledVariable): string[] {
  return variable.kind === 'boolean' ? ['true', 'false'] : variable.levels.map((level) => level.code);
}

/** Whether the variable splits a cohort into groups. */
export function isLevelled(variable: Variable): variable is LevelledVariable {
  return variable.kind !== 'numeric' && variable.kind !== 'timeToEvent';
}

/** The indicator columns of grid intervals: all events, then all censorings. */
export function gridColumns(variable: TimeToEventVariable): string[] {
  return [
    ...variable.grid.map((point) => eventColumn(variable.name, point)),
    ...variable.grid.map((point) => censoredColumn(variable.name, point)),
  ];
}

/** All columns of one variable. */
export function variableColumns(variable: Variable): string[] {
  const own =
    variable.kind === 'numeric'
      ? [variable.name]
      : variable.kind === 'timeToEvent'
        ? gridColumns(variable)
        : levelCodes(variable).map((code) => levelColumn(variable.name, code));
  return variable.missing ? [...own, validColumn(variable.name)] : own;
}

/** All columns of a schema, the row indicator first. */
export function schemaColumns(schema: Schema): string[] {
  return [ROW_COLUMN, ...schema.variables.flatMap(variableColumns)];
}

/** How a number is scaled to [-1, 1]: value = middle + half * scaled. */
export interface Scaling {
  middle: number;
  half: number;
}

/** The scaling that a numeric variable's range fixes. */
export function scalingOf(variable: NumericVariable): Scaling {
  return {
    middle: (variable.minimum + variable.maximum) / 2,
    half: (variable.maximum - variable.minimum) / 2,
  };
}

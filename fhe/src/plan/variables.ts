/** The variables that several datasets have in common. */
import { FheError } from '../errors.js';
import { gridColumns, isLevelled, levelCodes } from '../schema/columns.js';
import { type Schema, type Variable } from '../schema/schema.js';

/**
 * The variables of the first schema that every other schema defines alike.
 * @throws FheError SCHEMA_MISMATCH if a variable of `used` exists but is packed differently somewhere, or is absent
 * from one of the schemas while another has it.
 */
export function commonVariables(schemas: readonly Schema[], used: readonly string[]): Map<string, Variable> {
  const [first, ...others] = schemas;
  if (!first) throw new FheError('QUERY_INVALID', 'The query is not valid: it names no dataset.');
  const indexes = others.map((schema) => ({ schema, variables: byName(schema) }));
  const common = byName(first);
  for (const { schema, variables } of indexes) {
    for (const name of used) {
      const mine = common.get(name);
      const theirs = variables.get(name);
      if ((mine || theirs) && !(mine && theirs && packing(mine) === packing(theirs)))
        throw new FheError(
          'SCHEMA_MISMATCH',
          `${name} is not defined alike in the schemas ${title(first)} and ${title(schema)}.`,
        );
    }
    for (const [name, mine] of common) {
      const theirs = variables.get(name);
      if (!theirs || packing(mine) !== packing(theirs)) common.delete(name);
    }
  }
  return common;
}

function byName(schema: Schema): Map<string, Variable> {
  return new Map(schema.variables.map((variable) => [variable.name, variable]));
}

function title(schema: Schema): string {
  return `${schema.name} ${schema.version}`;
}

/** Everything that decides how a variable is packed; labels and descriptions may differ. */
function packing(variable: Variable): string {
  const missing = variable.missing === true;
  if (isLevelled(variable)) return JSON.stringify([variable.kind, missing, levelCodes(variable)]);
  if (variable.kind === 'timeToEvent')
    return JSON.stringify([variable.kind, missing, variable.unit, gridColumns(variable)]);
  return JSON.stringify([variable.kind, missing, variable.unit, variable.minimum, variable.maximum]);
}

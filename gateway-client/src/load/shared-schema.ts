import type { Schema } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { fieldsOf } from './fields.js';
import type { Mapping } from './mapping.js';

/**
 * The part of a schema that a table has, by its mapping: what the dataset's own schema is. A question about the rest
 * is refused for this dataset, never answered as if nobody had it.
 *
 * @throws ClientError `MAPPING_INVALID` for a variable or a field that the schema does not have: a rule that generalises
 *   a misspelt field would apply to nothing, and the exact values would be shared.
 */
export function sharedSchema(schema: Schema, { variables, fields }: Mapping): Schema {
  const missing = (what: string, name: string): ClientError =>
    new ClientError('MAPPING_INVALID', `The schema ${schema.name} has no ${what} ${name}.`);
  const known = new Set(fieldsOf(schema));
  const none = Object.keys(fields).find((field) => !known.has(field));
  if (none !== undefined) throw missing('field', none);
  if (!variables) return schema;
  const unknown = variables.find((name) => !schema.variables.some((variable) => variable.name === name));
  if (unknown !== undefined) throw missing('variable', unknown);
  return { ...schema, variables: schema.variables.filter(({ name }) => variables.includes(name)) };
}

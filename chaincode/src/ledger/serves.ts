/** The decorator that gives a contract's method its metadata from the table of transactions. */
import 'reflect-metadata';
import { Context, Param, Returns, Transaction } from 'fabric-contract-api';
import { z } from 'zod';
import { type TransactionDefinition } from '../api/transactions.js';

const schemaText = (shape: z.ZodType): string =>
  JSON.stringify(z.toJSONSchema(shape, { unrepresentable: 'any', io: 'input' }));

/**
 * Declares a transaction: submitted or evaluated, one string parameter `request` (JSON, its JSON Schema in the
 * parameter's description), a string result (JSON).
 */
export function Serves(definition: TransactionDefinition) {
  return (target: object, method: string): void => {
    if (method !== definition.transaction)
      throw new TypeError(`${definition.name} is declared on the method ${method}.`);
    // The types that Fabric's decorator looks up, independent of what the compiler emits for type-only imports.
    Reflect.defineMetadata('design:paramtypes', [Context, String], target, method);
    Transaction(definition.commits)(target, method);
    Param(
      'request',
      'string',
      `${definition.summary} JSON of: ${schemaText(definition.request)}`,
    )(target, method);
    Returns('string')(target, method);
  };
}

/** The decorator that gives a contract's method its metadata from the table of transactions. */
import 'reflect-metadata';
import { Context, Param, Returns, Transaction } from 'fabric-contract-api';
import { z } from 'zod';
import { type TransactionDefinition } from '../api/transactions.js';

/** What a definition's requests and responses look like, as JSON Schema (draft 2020-12). */
export const requestSchema = ({ request }: TransactionDefinition) =>
  z.toJSONSchema(request, { unrepresentable: 'any', io: 'input' });
export const responseSchema = ({ response }: TransactionDefinition) =>
  z.toJSONSchema(response, { unrepresentable: 'any', io: 'output' });

/** One transaction in the metadata that Fabric's decorators collect. */
interface TransactionMetadata {
  name: string;
  returns?: object;
}

/**
 * Declares a transaction: submitted or evaluated, one string parameter `request` and a string result, both JSON. Their
 * JSON Schemas are in the metadata: the request's in the parameter's description, since the shim compiles a parameter's
 * own schema anew at every call, and the response's as the content schema of the returned string.
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
      `${definition.summary} JSON of: ${JSON.stringify(requestSchema(definition))}`,
    )(target, method);
    Returns('string')(target, method);
    const all = (Reflect.getMetadata('fabric:transactions', target) ?? []) as TransactionMetadata[];
    const own = all.find(({ name }) => name === method);
    if (own)
      own.returns = {
        type: 'string',
        contentMediaType: 'application/json',
        contentSchema: responseSchema(definition),
      };
  };
}

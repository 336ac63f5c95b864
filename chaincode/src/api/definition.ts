/** What the table of transactions says of one, and who may call it. */
import { type z } from 'zod';
import { type Role, roles } from './primitives.js';

/** Whose registry entry a caller needs besides the role. */
export type Registration = 'none' | 'institution' | 'researcher';

export interface TransactionDefinition<Q extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> {
  /** `JobContract:Submit`, as gateways and events name it. */
  readonly name: string;
  readonly contract: string;
  readonly transaction: string;
  /** One sentence for the contract's metadata. */
  readonly summary: string;
  /** Whether it is submitted (true) or only evaluated. */
  readonly commits: boolean;
  readonly roles: readonly Role[];
  readonly registration: Registration;
  readonly request: Q;
  readonly response: R;
}
export type RequestOf<D> = D extends TransactionDefinition<infer Q> ? z.input<Q> : never;
export type ResponseOf<D> = D extends TransactionDefinition<z.ZodType, infer R> ? z.output<R> : never;

type Entry<Q extends z.ZodType, R extends z.ZodType> = Omit<
  TransactionDefinition<Q, R>,
  'name' | 'contract' | 'transaction'
>;

/** Makes entries of one kind: who may call, and whether it commits. */
const entryFor =
  (who: Pick<TransactionDefinition, 'commits' | 'roles' | 'registration'>) =>
  <Q extends z.ZodType, R extends z.ZodType>(summary: string, request: Q, response: R): Entry<Q, R> => ({
    summary,
    ...who,
    request,
    response,
  });

export const byInstitution = entryFor({ commits: true, roles: ['institution'], registration: 'institution' });
export const byResearcher = entryFor({ commits: true, roles: ['researcher'], registration: 'researcher' });
/** By the operator of the organisation that the record belongs to; operators have no registry entry. */
export const byOperator = entryFor({ commits: true, roles: ['operator'], registration: 'none' });
export const reads = entryFor({ commits: false, roles, registration: 'none' });

export function contract<const C extends string, T extends Record<string, Entry<z.ZodType, z.ZodType>>>(
  name: C,
  entries: T,
): { readonly [K in keyof T]: T[K] & { name: string; contract: C; transaction: string } } {
  const named = Object.entries(entries).map(([transaction, entry]) => [
    transaction,
    { ...entry, name: `${name}:${transaction}`, contract: name, transaction },
  ]);
  return Object.fromEntries(named) as {
    [K in keyof T]: T[K] & { name: string; contract: C; transaction: string };
  };
}

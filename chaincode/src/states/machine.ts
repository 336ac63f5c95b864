/** State machines as tables. */
import { ContractError } from '../errors.js';

export interface Machine<S extends string> {
  readonly record: string;
  /** States in which a record can begin. */
  readonly initial: readonly S[];
  /** From each state, the states that may follow. */
  readonly moves: Readonly<Record<S, readonly S[]>>;
}

/** @throws ContractError ILLEGAL_STATE unless the table has the move. */
export function move<S extends string>(machine: Machine<S>, from: S, to: S): S {
  if (!machine.moves[from].includes(to))
    throw new ContractError('ILLEGAL_STATE', `A ${machine.record} cannot go from ${from} to ${to}.`);
  return to;
}

/** @throws ContractError ILLEGAL_STATE unless the state is one of those that the step needs. */
export function requireState<S extends string>(record: string, state: S, allowed: readonly S[]): void {
  if (!allowed.includes(state))
    throw new ContractError(
      'ILLEGAL_STATE',
      `The ${record} is ${state}; the step needs ${allowed.join(' or ')}.`,
    );
}

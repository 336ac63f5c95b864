/** Reading another channel's contract: the caller's peer is a member of both; nothing of it enters the read set. */
import { ContractError, readContractError } from '../errors.js';
import { type Transaction } from './transaction.js';

/**
 * Evaluates a transaction of another channel in the caller's name.
 *
 * @returns the response's JSON; the caller checks its shape
 * @throws ContractError the other contract's own, or INTERNAL where it does not answer
 */
export async function readAcross(
  { context: { stub } }: Transaction,
  place: { chaincode: string; channel: string },
  transaction: string,
  request: unknown,
): Promise<unknown> {
  const args = [transaction, JSON.stringify(request)];
  let reason: string;
  try {
    const { status, message, payload } = await stub.invokeChaincode(place.chaincode, args, place.channel);
    if (status === 200) return JSON.parse(Buffer.from(payload ?? []).toString());
    reason = message ?? `status ${status}`;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw (
    readContractError(reason) ??
    new ContractError('INTERNAL', `The contract on ${place.channel} failed: ${reason}`)
  );
}

/** The errors that contracts throw. A thrown error leaves nothing on the ledger; refusals by policy are records. */

/** Stable codes of thrown errors, part of the public interface. */
export const errorCodes = [
  /** The request does not have the shape of its schema. */
  'BAD_REQUEST',
  /** The caller's certificate lacks the role that the transaction asks for. */
  'ROLE_REQUIRED',
  /** The caller is not the enrolled identity of an active institution. */
  'NOT_ENROLLED',
  /** The caller is not a registered researcher. */
  'NOT_REGISTERED',
  /** The caller has the role, but no part in this record (not an owner, member, holder or requester). */
  'NOT_A_PARTY',
  /** The level of the institution does not have this right. */
  'LEVEL_INSUFFICIENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  /** The record's state does not allow the step. */
  'ILLEGAL_STATE',
  'DEADLINE_PASSED',
  /** The step belongs to another institution until a delay has passed. */
  'TOO_EARLY',
  'BAD_KEY',
  'BAD_SIGNATURE',
  /** A reveal does not open its commitment. */
  'BAD_COMMITMENT',
  /** Bytes, a root or a plan differ from what the ledger holds. */
  'HASH_MISMATCH',
  /** The transient data lacks a blob that the request needs. */
  'BLOB_MISSING',
  /** A blob is not what its place asks for (kind, parameter set, epoch, level). */
  'BAD_BLOB',
  /** The process has not seen the epoch's relinearisation key: send it once as transient data. */
  'KEY_NEEDED',
  /** The process computes as much as it may at once: nothing was done, come back. */
  'BUSY',
  /** Transient data or work above the limits of one transaction. */
  'TOO_MUCH_WORK',
  'VALUE_TOO_LARGE',
  /** The permission function refuses the step. */
  'NOT_PERMITTED',
  'PARTIALS_MISSING',
  'SHARES_MISSING',
  /** Too few holders of the collective key are members still. */
  'HOLDERS_MISSING',
  'BAD_SHARE',
  /** A block of sharing transactions breaks a rule of the channel's endorsement scheme. */
  'BAD_SEAL',
  /** A block extends another than the tip: work again on the new one. */
  'STALE_TIP',
  /** What a block would seal is not pending, or not as it says. */
  'NOT_PENDING',
  /** What the request would use is not sealed, or not deep enough: come back. */
  'NOT_CONFIRMED',
  /** The opened shares do not add up to a number of patients: some share is wrong. */
  'COUNT_IMPLAUSIBLE',
  /** What would be released lets a hidden number be computed. */
  'DISCLOSIVE',
  'QUERY_INVALID',
  'SCHEMA_INVALID',
  'PARAMETERS_REFUSED',
  /** Something failed that no request should be able to cause. */
  'INTERNAL',
] as const;

export type ContractErrorCode = (typeof errorCodes)[number];

/** The one error class of this package. On the wire its text is `CODE: sentence`. */
export class ContractError extends Error {
  override readonly name = 'ContractError';

  constructor(
    readonly code: ContractErrorCode,
    /** One sentence for a person. */
    readonly sentence: string,
    options?: { cause?: unknown },
  ) {
    super(`${code}: ${sentence}`, options);
  }
}

const wireForm = new RegExp(`\\b(${errorCodes.join('|')}): (.+)`, 's');

/**
 * Finds a contract's error in the text that a peer or gateway wraps around it.
 * @returns undefined where the text holds none.
 */
export function readContractError(text: string): ContractError | undefined {
  const match = wireForm.exec(text);
  if (!match) return undefined;
  return new ContractError(match[1] as ContractErrorCode, (match[2] ?? '').trim());
}

/** Why a ledger cannot be used; stable, for programs. */
export type LedgerErrorCode = 'BLOCK_DAMAGED' | 'BLOCK_MISSING' | 'STATE_AHEAD' | 'LEDGER_CLOSED';

/** A ledger whose files are not what they were when they were written. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';

  constructor(
    readonly code: LedgerErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * The one error of this package. `code` is stable and part of the public interface; the message is one sentence for
 * a person. Where one party's message was at fault, `sender` names that party.
 */
export type FheErrorCode =
  // arguments and life cycle
  | 'ARGUMENT_INVALID'
  | 'DISPOSED'
  | 'CANCELLED'
  // parameter sets
  | 'PARAMETER_SET_UNKNOWN'
  | 'PARAMETER_SET_INVALID'
  | 'PARAMETER_SET_MISMATCH'
  | 'PARAMETER_SET_TEST_ONLY'
  // bytes from elsewhere
  | 'EPOCH_MISMATCH'
  | 'BLOB_MALFORMED'
  | 'CIPHERTEXT_MALFORMED'
  | 'PLAINTEXT_MALFORMED'
  | 'PUBLIC_KEY_MALFORMED'
  | 'RELIN_KEYS_MALFORMED'
  | 'HOLDER_KEY_MALFORMED'
  | 'SHARE_MALFORMED'
  | 'JOURNAL_MALFORMED'
  // key ceremony
  | 'CEREMONY_STEP_INVALID'
  | 'CEREMONY_MESSAGE_MISSING'
  | 'CEREMONY_MESSAGE_INVALID'
  | 'DEALINGS_DISPUTED'
  // release
  | 'COMMITTEE_INVALID'
  | 'RELEASE_REFUSED'
  | 'RELEASE_BUDGET_EXHAUSTED'
  | 'PRIVACY_BUDGET_EXHAUSTED'
  | 'OVERFLOW'
  // sealed messages
  | 'SEALING_KEY_INVALID'
  | 'SEALED_MESSAGE_INVALID'
  // schema, columns, queries, plans
  | 'SCHEMA_INVALID'
  | 'LAYOUT_INVALID'
  | 'RECORD_INVALID'
  | 'QUERY_INVALID'
  | 'UNKNOWN_VARIABLE'
  | 'UNKNOWN_LEVEL'
  | 'SCHEMA_MISMATCH'
  | 'PLAN_INVALID'
  | 'PLAN_TOO_DEEP'
  | 'CAPACITY_EXCEEDED'
  // evaluation
  | 'KEY_MISSING'
  | 'SEAL_FAILED'
  | 'WORKER_FAILED'
  // the installation
  | 'RUNTIME_UNSUPPORTED';

export interface FheErrorOptions {
  readonly cause?: unknown;
  /** The party whose message was at fault. */
  readonly sender?: string;
}

export class FheError extends Error {
  override readonly name = 'FheError';
  readonly code: FheErrorCode;
  readonly sender?: string;

  constructor(code: FheErrorCode, message: string, options: FheErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.sender !== undefined) this.sender = options.sender;
  }
}

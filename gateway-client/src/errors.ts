/** What went wrong; stable names that programs may rely on. */
export type ClientErrorCode =
  // reading records
  | 'FILE_MISSING'
  | 'FILE_ALTERED'
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'COLUMN_MISSING'
  | 'MAPPING_INVALID'
  | 'IDENTIFIER_REFUSED'
  | 'DATASET_FILE_INVALID'
  // talking to the ledger
  | 'PROFILE_INVALID'
  | 'ROLE_DIFFERS'
  | 'SIGNING_FAILED'
  | 'CHECKPOINT_INVALID'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'CHAINCODE_MISSING'
  | 'CHAINCODE_UNREACHABLE'
  | 'CONTRACT_REFUSED'
  | 'ENDORSEMENT_FAILED'
  | 'COMMIT_FAILED'
  | 'COMMIT_UNKNOWN'
  | 'REQUEST_INVALID'
  | 'ANSWER_INVALID'
  // blocks of sharing transactions
  | 'SCHEME_UNKNOWN'
  | 'MINING_FAILED'
  | 'CHAIN_INVALID'
  // an institution's agent
  | 'KEY_FILE_INVALID'
  | 'CEREMONY_FAILED'
  | 'POLICY_REFUSED'
  | 'POLICY_INVALID'
  | 'AGENT_RUNNING'
  | 'NOT_WAITING'
  | 'REPLAY_MISMATCH'
  | 'BUDGET_EXHAUSTED'
  // a researcher's job
  | 'JOB_FILE_INVALID'
  | 'JOB_REFUSED'
  | 'JOB_FAILED'
  | 'JOB_RUNNING'
  | 'RESULT_INVALID'
  | 'STATISTIC_UNDEFINED'
  | 'NOT_CONVERGED'
  // the demo
  | 'DEMO_RUNNING'
  | 'DEMO_DIFFERS'
  | 'NETWORK_IN_USE'
  | 'NO_PROGRESS';

/** Every error that this package throws: a stable code, one sentence, and the cause where there is one. */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';

  constructor(
    readonly code: ClientErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

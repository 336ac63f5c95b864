/** What can go wrong in the operation of a network; stable, for programs. */
export const networkErrorCodes = [
  'CONFIG_INVALID',
  'CONFIG_CHANGED',
  'OLD_RUNTIME',
  'NO_SPACE',
  'PORT_IN_USE',
  'DIRECTORY_IN_USE',
  'ALREADY_RUNNING',
  'NOT_RUNNING',
  'INTERRUPTED',
  'DAEMON_FAILED',
  'CERTIFICATE_INVALID',
  'POLICY_INVALID',
  'LEDGER_DAMAGED',
  'CHANNEL_UNKNOWN',
  'CHANNEL_EXISTS',
  'ORGANIZATION_UNKNOWN',
  'USER_UNKNOWN',
  'CHAINCODE_UNKNOWN',
  'CHAINCODE_INVALID',
  'CHAINCODE_BUILD_FAILED',
  'CHAINCODE_START_FAILED',
  'DEFINITION_REFUSED',
  'TRANSACTION_FAILED',
  'FABRIC_MISSING',
  'FABRIC_VERSION',
  'FABRIC_COMMAND_FAILED',
  'NODE_FAILED',
  'UNSUPPORTED',
] as const;

export type NetworkErrorCode = (typeof networkErrorCodes)[number];

/** The one error type of network operations: a stable `code`, one sentence, and the cause where there is one. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';

  constructor(
    readonly code: NetworkErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

import { EmbeddedError, type EmbeddedErrorCode } from '../embedded.js';
import { NetworkError, type NetworkErrorCode } from '../errors.js';
import { LedgerError } from '../ledger/ledger-error.js';
import { PolicySyntaxError } from '../policy/parser.js';
import { errorMessage } from '../protos/bytes.js';
import { isErrno } from './processes.js';

const EMBEDDED: Record<EmbeddedErrorCode, NetworkErrorCode> = {
  CHANNEL_EXISTS: 'CHANNEL_EXISTS',
  CHANNEL_UNKNOWN: 'CHANNEL_UNKNOWN',
  ORGANIZATION_UNKNOWN: 'ORGANIZATION_UNKNOWN',
  CHAINCODE_UNREACHABLE: 'CHAINCODE_START_FAILED',
  DEFINITION_REFUSED: 'DEFINITION_REFUSED',
  LISTEN_FAILED: 'PORT_IN_USE',
};

/** What went wrong inside the daemon, as its callers know it. */
export function networkError(error: unknown): NetworkError {
  if (error instanceof NetworkError) return error;
  const message = errorMessage(error);
  const as = (code: NetworkErrorCode, sentence = message): NetworkError =>
    new NetworkError(code, sentence, { cause: error });
  if (error instanceof EmbeddedError) return as(EMBEDDED[error.code]);
  if (error instanceof LedgerError) return as('LEDGER_DAMAGED', `The ledger cannot be used: ${message}`);
  if (error instanceof PolicySyntaxError)
    return as('POLICY_INVALID', `The policy cannot be read: ${message}`);
  if (isErrno(error, 'ENOSPC')) return as('NO_SPACE', 'There is no space left on the disk.');
  return as('DAEMON_FAILED', `The network failed: ${message}`);
}

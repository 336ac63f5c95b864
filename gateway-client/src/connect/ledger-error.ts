import { status } from '@grpc/grpc-js';
import { GatewayError, StatusCode, type Status } from '@hyperledger/fabric-gateway';
import { readContractError, type ContractErrorCode } from '@strokeshare/chaincode';
import { ClientError, type ClientErrorCode } from '../errors.js';

/** Peers that start learn within this time who runs which chaincode. */
const DISCOVERY_MS = 10_000;
/** Whoever looks after peers and chaincode processes has started a lost one again by then. */
const RESTART_MS = 60_000;
/** Fabric's words, without a code of their own, for an endorser or a chaincode process that has gone away. */
const PROCESS_LOST =
  /chaincode stream terminated|could not launch chaincode|chaincode registration failed|code = Unavailable|error reading from server|connection refused/;

/** The step of a transaction that failed. */
export type Stage = 'evaluate' | 'endorse' | 'submit' | 'commit';

/** A failure of the ledger: one sentence, with the contract's own code and words where a contract spoke. */
export class LedgerError extends ClientError {
  override readonly name = 'LedgerError';
  /** The code of the error that the contract threw. */
  readonly contractCode?: ContractErrorCode;

  constructor(
    code: ClientErrorCode,
    message: string,
    readonly details: {
      stage: Stage;
      /** Whether the same call may be made again: nothing of this one can have reached the ledger. */
      safeToRetry: boolean;
      /** For how long after the first attempt another one may help; by default for as long as the call has. */
      patienceMs?: number;
      /** Whether another peer may serve where this one did not. */
      peerLost?: boolean;
      contractCode?: ContractErrorCode;
    },
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    if (details.contractCode !== undefined) this.contractCode = details.contractCode;
  }
}

/**
 * Turns what the gateway throws into one sentence. The contract's message, which the gateway hides in the details of
 * each endorsing peer, comes first; what the peers' own words add follows.
 *
 * @param error - what was thrown.
 * @param call - `Contract:Transaction`, for the sentence.
 */
export function flatten(error: unknown, stage: Stage, call: string): ClientError {
  if (error instanceof ClientError) return error;
  if (error instanceof GatewayError) return fromGateway(error, stage, call);
  return new LedgerError(
    'ANSWER_INVALID',
    `${call} failed: ${error instanceof Error ? error.message : String(error)}.`,
    { stage, safeToRetry: false },
    { cause: error },
  );
}

/** A transaction that is in a block as invalid: it wrote nothing, and another try may well be valid. */
export function invalidated(
  { code, transactionId }: Pick<Status, 'code' | 'transactionId'>,
  call: string,
): LedgerError {
  const name = Object.entries(StatusCode).find(([, value]) => value === code)?.[0] ?? String(code);
  const safeToRetry = code === StatusCode.MVCC_READ_CONFLICT || code === StatusCode.PHANTOM_READ_CONFLICT;
  return new LedgerError(
    'COMMIT_FAILED',
    `${call} was not committed: ${name} (transaction ${transactionId}).`,
    {
      stage: 'commit',
      safeToRetry,
    },
  );
}

function fromGateway(error: GatewayError, stage: Stage, call: string): LedgerError {
  const words = [...error.details.map(({ message }) => message), error.message];
  for (const text of words) {
    const contract = readContractError(text);
    if (!contract) continue;
    const { code, sentence } = contract;
    return new LedgerError(
      'CONTRACT_REFUSED',
      sentence,
      // A busy process has done nothing yet.
      { stage, safeToRetry: code === 'BUSY', contractCode: code },
      { cause: error },
    );
  }
  const early = stage === 'evaluate' || stage === 'endorse';
  const failed = (
    code: ClientErrorCode,
    sentence: string,
    retry: { safeToRetry?: boolean; patienceMs?: number; peerLost?: boolean } = {},
  ): LedgerError =>
    new LedgerError(code, sentence, { stage, safeToRetry: false, ...retry }, { cause: error });
  const elsewhere = { safeToRetry: early, peerLost: true };
  switch (error.code as status) {
    case status.CANCELLED:
      return failed('CANCELLED', `${call} was cancelled.`);
    case status.DEADLINE_EXCEEDED:
      return failed('DEADLINE_EXCEEDED', `${call} did not answer in time (${stage}).`, elsewhere);
    case status.UNAVAILABLE:
      return failed('UNAVAILABLE', `No peer could be reached for ${call} (${stage}).`, elsewhere);
    default:
  }
  const [first = ''] = words;
  // The gateway's own words: what peers answer comes with details. A peer that has just started knows nobody yet.
  if (early && error.code === Number(status.FAILED_PRECONDITION) && error.details.length === 0) {
    return failed(
      'CHAINCODE_MISSING',
      `${call} found no set of peers that its policy accepts; mostly the chaincode is not deployed on enough of them.`,
      { ...elsewhere, patienceMs: DISCOVERY_MS },
    );
  }
  if (early && words.some((text) => PROCESS_LOST.test(text))) {
    return failed(
      'CHAINCODE_UNREACHABLE',
      `${call} reached a peer or a chaincode process that is not running (${stage}): ${oneLine(first)}`,
      { ...elsewhere, patienceMs: RESTART_MS },
    );
  }
  // Fabric has no code of its own for this: peers at different heights read different states.
  const differ = words.some((text) => text.includes('ProposalResponsePayloads do not match'));
  return failed('ENDORSEMENT_FAILED', `${call} failed (${stage}): ${oneLine(first)}`, {
    safeToRetry: differ && early,
  });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

import type { ServiceError } from '@grpc/grpc-js';
import { CommitError, GatewayError } from '@hyperledger/fabric-gateway';
import { gateway, google } from '@hyperledger/fabric-protos';

/** What a failed call tells a client. */
export interface Failure {
  /** gRPC status. */
  readonly code: number;
  readonly text: string;
  /** One for each endpoint that had a part in it. */
  readonly details: readonly { readonly mspId: string; readonly address: string; readonly message: string }[];
}

/** The failure of a call that must not succeed. */
export async function failure(work: Promise<unknown>): Promise<Failure> {
  let result: unknown;
  try {
    result = await work;
  } catch (error) {
    return describeFailure(error);
  }
  throw new Error(`the call succeeded with ${String(result)}`);
}

/** The validation code and name of a transaction that was ordered and found invalid. */
export async function commitFailure(work: Promise<unknown>): Promise<number> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CommitError) return error.code;
  throw new Error('the transaction was not refused at commit', { cause: error });
}

function describeFailure(error: unknown): Failure {
  const cause = error instanceof GatewayError ? error.cause : error;
  if (!isServiceError(cause)) throw error;
  return { code: cause.code, text: cause.details, details: detailsOf(cause) };
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

function detailsOf(error: ServiceError): Failure['details'] {
  const packed = error.metadata.get('grpc-status-details-bin').filter((value) => Buffer.isBuffer(value));
  return packed
    .flatMap((bytes) => google.rpc.Status.deserializeBinary(bytes).getDetailsList())
    .map((any) => gateway.ErrorDetail.deserializeBinary(any.getValue_asU8()))
    .map((detail) => ({
      mspId: detail.getMspId(),
      address: detail.getAddress(),
      message: detail.getMessage(),
    }))
    .sort((a, b) => a.mspId.localeCompare(b.mspId));
}

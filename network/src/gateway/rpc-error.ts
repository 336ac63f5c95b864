import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { gateway, google } from '@hyperledger/fabric-protos';
import { Any } from 'google-protobuf/google/protobuf/any_pb.js';

/** An endpoint's part in a failure. */
export interface ErrorDetail {
  readonly address: string;
  readonly mspId: string;
  readonly message: string;
}

/** A failed call, as gRPC carries it: code, text and Fabric's details for each endpoint. */
export class RpcError extends Error implements Partial<ServiceError> {
  readonly details: string;
  readonly metadata: Metadata;

  constructor(
    readonly code: status,
    message: string,
    endpointDetails: readonly ErrorDetail[] = [],
  ) {
    super(message);
    this.details = message;
    this.metadata = new Metadata();
    if (endpointDetails.length === 0) return;
    const rich = new google.rpc.Status();
    rich.setCode(code);
    rich.setMessage(message);
    rich.setDetailsList(endpointDetails.map(packDetail));
    this.metadata.set('grpc-status-details-bin', Buffer.from(rich.serializeBinary()));
  }
}

function packDetail(detail: ErrorDetail): Any {
  const message = new gateway.ErrorDetail();
  message.setAddress(detail.address);
  message.setMspId(detail.mspId);
  message.setMessage(detail.message);
  const any = new Any();
  any.pack(message.serializeBinary(), 'gateway.ErrorDetail');
  return any;
}

export const rpc = {
  invalidArgument: (message: string): RpcError => new RpcError(status.INVALID_ARGUMENT, message),
  failedPrecondition: (message: string): RpcError => new RpcError(status.FAILED_PRECONDITION, message),
  unavailable: (message: string): RpcError => new RpcError(status.UNAVAILABLE, message),
  permissionDenied: (message: string): RpcError => new RpcError(status.PERMISSION_DENIED, message),
  notFound: (message: string): RpcError => new RpcError(status.NOT_FOUND, message),
  deadlineExceeded: (message: string): RpcError => new RpcError(status.DEADLINE_EXCEEDED, message),
  aborted: (message: string, details: readonly ErrorDetail[] = []): RpcError =>
    new RpcError(status.ABORTED, message, details),
};

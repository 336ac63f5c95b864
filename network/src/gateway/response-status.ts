import { status } from '@grpc/grpc-js';
import { type peer } from '@hyperledger/fabric-protos';
import { type EndorserResult } from '../endorser/endorser.js';

/** What a gateway makes of an endorser's answer (internal/pkg/gateway/apiutils.go). */
export type ResponseStatus =
  | { readonly ok: true; readonly response: peer.ProposalResponse }
  | { readonly ok: false; readonly code: status; readonly message: string; readonly retry: boolean };

export function responseStatus({ response, error }: EndorserResult): ResponseStatus {
  const failure = (code: status, message: string, retry: boolean): ResponseStatus => ({
    ok: false,
    code,
    message,
    retry,
  });
  if (error !== undefined) {
    return response
      ? failure(status.FAILED_PRECONDITION, error, false)
      : failure(status.UNAVAILABLE, error, true);
  }
  const answer = response?.getResponse();
  if (!response || !answer) return failure(status.ABORTED, 'the endorser gave no response', true);
  const code = answer.getStatus();
  if (code >= 200 && code < 400) return { ok: true, response };
  // A 500 without a payload comes from the peer itself, so another peer may do better.
  if (response.getPayload_asU8().length === 0 && code === 500)
    return failure(status.ABORTED, answer.getMessage(), true);
  return failure(status.UNKNOWN, `chaincode response ${code}, ${answer.getMessage()}`, false);
}

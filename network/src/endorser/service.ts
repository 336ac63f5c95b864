import { type handleUnaryCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';
import { asRpcError } from '../gateway/service.js';
import { type Endorser } from './endorser.js';

/** The gRPC service `protos.Endorser`, for tools that talk to a peer directly. */
export function endorserService(endorser: Endorser): UntypedServiceImplementation {
  const processProposal: handleUnaryCall<peer.SignedProposal, peer.ProposalResponse> = (call, callback) => {
    void (async () => {
      const { response, error } = await endorser.process(call.request);
      if (error !== undefined) callback(asRpcError(new Error(error)));
      else callback(null, response ?? new peer.ProposalResponse());
    })();
  };
  return { processProposal };
}

import { status } from '@grpc/grpc-js';
import { common, gateway, peer } from '@hyperledger/fabric-protos';
import { type PeerChannel, readersPolicy } from '../endorser/channel.js';
import { Endorsement } from './endorsement.js';
import { type GatewayPeer, type PeerDirectory, peersWithChaincode } from './peer-directory.js';
import { parse, readProposal, within } from './requests.js';
import { responseStatus } from './response-status.js';
import { type ErrorDetail, rpc, RpcError } from './rpc-error.js';

/** The gateway service of one peer: what it does for a client, without gRPC. Source: internal/pkg/gateway. */
export class Gateway {
  readonly #endorsement: Endorsement;

  constructor(
    private readonly local: GatewayPeer,
    private readonly directory: PeerDirectory,
  ) {
    this.#endorsement = new Endorsement(local, directory);
  }

  async evaluate(request: gateway.EvaluateRequest, signal: AbortSignal): Promise<gateway.EvaluateResponse> {
    const signed = request.getProposedTransaction();
    const { channel, chaincode, hasTransientData } = readProposal(
      signed,
      'failed to unpack transaction proposal: ',
    );
    const proposal = signed ?? new peer.SignedProposal();
    if (!this.local.channel(channel)) {
      throw rpc.unavailable(
        `failed to get config for channel [${channel}]: could not get last config for channel ${channel}`,
      );
    }
    const targets = request.getTargetOrganizationsList();
    const protect = hasTransientData && targets.length === 0;
    const endorsers = this.#evaluators(channel, chaincode, protect ? [this.local.mspId] : targets);
    if (endorsers.length === 0) {
      const problem = `no peers available to evaluate chaincode ${chaincode} in channel ${channel}`;
      throw rpc.failedPrecondition(
        protect
          ? `no endorsers found in the gateway's organization; retry specifying target organization(s) to protect transient data: ${problem}`
          : problem,
      );
    }
    const details: ErrorDetail[] = [];
    let code: status = status.ABORTED;
    for (const endorser of endorsers) {
      const answer = responseStatus(
        await within(endorser.endorser.query(proposal), signal, 'evaluate timeout expired'),
      );
      if (answer.ok) {
        const result = answer.response.getResponse() ?? new peer.Response();
        const response = new gateway.EvaluateResponse();
        response.setResult(result);
        return response;
      }
      code = answer.code;
      details.push({ address: endorser.address, mspId: endorser.mspId, message: answer.message });
      if (!answer.retry) {
        throw new RpcError(code, `evaluate call to endorser returned error: ${answer.message}`, details);
      }
    }
    throw new RpcError(code, 'failed to evaluate transaction, see attached details for more info', details);
  }

  endorse(request: gateway.EndorseRequest, signal: AbortSignal): Promise<gateway.EndorseResponse> {
    return this.#endorsement.endorse(request, signal);
  }

  submit(request: gateway.SubmitRequest): gateway.SubmitResponse {
    const transaction = request.getPreparedTransaction();
    if (!transaction) throw rpc.invalidArgument('a prepared transaction is required');
    if (transaction.getSignature_asU8().length === 0) {
      throw rpc.invalidArgument('prepared transaction must be signed');
    }
    const channel = request.getChannelId();
    const result = this.directory.broadcast(channel, transaction.serializeBinary());
    if (!result) {
      throw rpc.failedPrecondition(
        `failed to get config for channel [${channel}]: could not get last config for channel ${channel}`,
      );
    }
    if (result.status === common.Status.SUCCESS) return new gateway.SubmitResponse();
    const name =
      Object.entries(common.Status).find(([, number]) => number === result.status)?.[0] ?? result.status;
    const text = `received unsuccessful response from orderer: status=${name}, info=${result.info}`;
    if (result.status >= 400 && result.status < 500) throw rpc.aborted(text);
    throw new RpcError(status.UNAVAILABLE, 'no orderers could successfully process transaction', [
      { address: 'orderer', mspId: '', message: text },
    ]);
  }

  async commitStatus(
    signed: gateway.SignedCommitStatusRequest,
    signal: AbortSignal,
  ): Promise<gateway.CommitStatusResponse> {
    const bytes = signed.getRequest_asU8();
    if (bytes.length === 0) throw rpc.invalidArgument('a commit status request is required');
    const request = parse(
      () => gateway.CommitStatusRequest.deserializeBinary(bytes),
      'invalid status request',
    );
    if (request.getIdentity_asU8().length === 0) throw rpc.invalidArgument('no identity provided');
    if (request.getChannelId() === '') throw rpc.invalidArgument('no channel ID provided');
    if (request.getTransactionId() === '') throw rpc.invalidArgument('transaction ID should not be empty');
    const channel = this.readableChannel(request.getChannelId(), {
      data: bytes,
      identity: request.getIdentity_asU8(),
      signature: signed.getSignature_asU8(),
    });
    const result = await channel.ledger.transactionStatus(request.getTransactionId(), signal);
    if (!result) throw rpc.deadlineExceeded('context deadline exceeded');
    const response = new gateway.CommitStatusResponse();
    response.setResult(result.code as ReturnType<gateway.CommitStatusResponse['getResult']>);
    response.setBlockNumber(result.block);
    return response;
  }

  /** The local peer's channel, if the signer may read it. @throws RpcError PERMISSION_DENIED */
  readableChannel(
    name: string,
    signed: { readonly data: Uint8Array; readonly identity: Uint8Array; readonly signature: Uint8Array },
  ): PeerChannel {
    const channel = this.local.channel(name);
    if (!channel) throw rpc.permissionDenied(`Failed to get policy manager for channel [${name}]`);
    const denied = channel.policies.checkSigned(name, readersPolicy, [signed]);
    if (denied !== null) throw rpc.permissionDenied(denied);
    return channel;
  }

  /** Peers that can evaluate: of the gateway's own organisation first, then the highest ledgers. */
  #evaluators(channel: string, chaincode: string, organizations: readonly string[]): GatewayPeer[] {
    const height = (candidate: GatewayPeer): number => candidate.channel(channel)?.ledger.height ?? 0;
    return peersWithChaincode(this.directory, channel, chaincode)
      .filter(({ mspId }) => organizations.length === 0 || organizations.includes(mspId))
      .sort((a, b) => Number(b === this.local) - Number(a === this.local) || height(b) - height(a));
  }
}

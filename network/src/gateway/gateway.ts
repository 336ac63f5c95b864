import { status } from '@grpc/grpc-js';
import { common, gateway, peer } from '@hyperledger/fabric-protos';
import { type PeerChannel, readersPolicy } from '../endorser/channel.js';
import { isSystemChaincode } from '../endorser/endorser.js';
import { type Proposal, unpackProposal } from '../endorser/proposal.js';
import { errorMessage } from '../protos/bytes.js';
import { EndorsementPlan, planForInterest } from './plan.js';
import { type GatewayPeer, type PeerDirectory } from './peer-directory.js';
import { responseStatus } from './response-status.js';
import { type ErrorDetail, rpc, RpcError } from './rpc-error.js';

/** Longest wait for one endorser (core.yaml: peer.gateway.endorsementTimeout). */
const endorsementTimeoutMs = 30_000;

/** The gateway service of one peer: what it does for a client, without gRPC. Source: internal/pkg/gateway. */
export class Gateway {
  constructor(
    private readonly local: GatewayPeer,
    private readonly directory: PeerDirectory,
  ) {}

  async evaluate(request: gateway.EvaluateRequest, signal: AbortSignal): Promise<gateway.EvaluateResponse> {
    const signed = request.getProposedTransaction();
    const { channel, chaincode, hasTransientData } = this.#proposal(
      signed,
      'failed to unpack transaction proposal: ',
    );
    const proposal = signed ?? new peer.SignedProposal();
    if (this.directory.peersOf(channel).length === 0) {
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
        await within(endorser.endorser.process(proposal), signal, 'evaluate timeout expired'),
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

  async endorse(request: gateway.EndorseRequest, signal: AbortSignal): Promise<gateway.EndorseResponse> {
    const signed = request.getProposedTransaction();
    if (!signed || signed.getProposalBytes_asU8().length === 0) {
      throw rpc.invalidArgument('the proposed transaction must contain a signed proposal');
    }
    const proposal = this.#proposal(signed, '');
    const organizations = request.getEndorsingOrganizationsList();
    const plan =
      organizations.length > 0
        ? this.#planForOrganizations(proposal, organizations)
        : await this.#planFromFirstEndorser(proposal, signal);
    while (!plan.completed) {
      const endorsers = plan.next();
      if (!endorsers) break;
      const collecting = Promise.all(endorsers.map((endorser) => this.#collect(plan, endorser, signed)));
      await within(collecting, signal, 'endorsement timeout expired while collecting endorsements');
    }
    if (!plan.completed) {
      throw rpc.aborted(
        'failed to collect enough transaction endorsements, see attached details for more info',
        plan.details,
      );
    }
    const response = new gateway.EndorseResponse();
    response.setPreparedTransaction(prepareTransaction(proposal, plan.completed));
    return response;
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

  #proposal(signed: peer.SignedProposal | undefined, prefix: string): Proposal {
    if (!signed || signed.getProposalBytes_asU8().length === 0) {
      throw rpc.invalidArgument(`${prefix}a signed proposal is required`);
    }
    let proposal: Proposal;
    try {
      proposal = unpackProposal(signed);
    } catch (error) {
      throw rpc.invalidArgument(`${prefix}${errorMessage(error)}`);
    }
    if (proposal.channel === '') throw rpc.invalidArgument(`${prefix}no channel id provided`);
    return proposal;
  }

  #havingChaincode(channel: string, chaincode: string): GatewayPeer[] {
    return this.directory
      .peersOf(channel)
      .filter((candidate) => isSystemChaincode(chaincode) || candidate.hasChaincode(channel, chaincode));
  }

  /** Peers that can evaluate: of the gateway's own organisation first, then the highest ledgers. */
  #evaluators(channel: string, chaincode: string, organizations: readonly string[]): GatewayPeer[] {
    const height = (candidate: GatewayPeer): number => candidate.channel(channel)?.ledger.height ?? 0;
    return this.#havingChaincode(channel, chaincode)
      .filter(({ mspId }) => organizations.length === 0 || organizations.includes(mspId))
      .sort((a, b) => Number(b === this.local) - Number(a === this.local) || height(b) - height(a));
  }

  #planForOrganizations({ channel, chaincode }: Proposal, organizations: readonly string[]): EndorsementPlan {
    const able = this.#havingChaincode(channel, chaincode);
    const missing = organizations.filter((mspId) => !able.some((candidate) => candidate.mspId === mspId));
    if (missing.length > 0) {
      throw rpc.unavailable(`failed to find any endorsing peers for org(s): ${missing.join(', ')}`);
    }
    return new EndorsementPlan([organizations], able);
  }

  /** Asks one peer, preferably the local one, and plans the rest by what the transaction touched there. */
  async #planFromFirstEndorser(proposal: Proposal, signal: AbortSignal): Promise<EndorsementPlan> {
    const { channel, chaincode, hasTransientData, signed } = proposal;
    const defaultCall = new peer.ChaincodeCall();
    defaultCall.setName(chaincode);
    const first = this.#firstEndorser(channel, chaincode, hasTransientData, defaultCall);
    const answer = responseStatus(
      await within(
        this.#process(first, signed),
        signal,
        'endorsement timeout expired while collecting first endorsement',
      ),
    );
    const { address, mspId } = first;
    if (!answer.ok) {
      throw rpc.aborted('failed to endorse transaction, see attached details for more info', [
        { address, mspId, message: answer.message },
      ]);
    }
    const calls = answer.response.getInterest()?.getChaincodesList() ?? [];
    const plan = this.#derivedPlan(channel, calls.length > 0 ? calls : [defaultCall], first.mspId);
    plan.addEndorsement(first, answer.response);
    return plan;
  }

  #firstEndorser(
    channel: string,
    chaincode: string,
    hasTransientData: boolean,
    defaultCall: peer.ChaincodeCall,
  ): GatewayPeer {
    const able = this.#havingChaincode(channel, chaincode);
    if (able.includes(this.local)) return this.local;
    if (hasTransientData) {
      throw rpc.failedPrecondition(
        "no endorsers found in the gateway's organization; retry specifying endorsing organization(s) to protect transient data",
      );
    }
    const [first] = this.#derivedPlan(channel, [defaultCall], undefined).next() ?? [];
    if (!first)
      throw rpc.failedPrecondition(
        'no combination of peers can be derived which satisfy the endorsement policy',
      );
    return first;
  }

  #derivedPlan(
    channelName: string,
    calls: readonly peer.ChaincodeCall[],
    preferred: string | undefined,
  ): EndorsementPlan {
    const peers = this.directory.peersOf(channelName);
    const channel = this.local.channel(channelName) ?? peers[0]?.channel(channelName);
    if (!channel) {
      throw rpc.failedPrecondition(
        'no combination of peers can be derived which satisfy the endorsement policy: ' +
          `No metadata was found for chaincode ${calls[0]?.getName() ?? ''} in channel ${channelName}`,
      );
    }
    try {
      return planForInterest(channel, calls, peers, preferred);
    } catch (error) {
      throw rpc.failedPrecondition(errorMessage(error));
    }
  }

  async #collect(plan: EndorsementPlan, endorser: GatewayPeer, signed: peer.SignedProposal): Promise<void> {
    const answer = responseStatus(await this.#process(endorser, signed));
    if (answer.ok) plan.addEndorsement(endorser, answer.response);
    else plan.addFailure(endorser, answer.message);
  }

  async #process(
    endorser: GatewayPeer,
    signed: peer.SignedProposal,
  ): ReturnType<GatewayPeer['endorser']['process']> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<{ error: string }>((resolve) => {
      timer = setTimeout(() => resolve({ error: 'context deadline exceeded' }), endorsementTimeoutMs);
    });
    try {
      return await Promise.race([endorser.endorser.process(signed), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Waits for the result, but not longer than the signal lets. @throws RpcError DEADLINE_EXCEEDED */
async function within<T>(work: Promise<T>, signal: AbortSignal, timeoutText: string): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(rpc.deadlineExceeded(timeoutText));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

export function parse<T>(read: () => T, problem: string): T {
  try {
    return read();
  } catch (error) {
    throw rpc.invalidArgument(`${problem}: ${errorMessage(error)}`);
  }
}

/** The unsigned transaction of a proposal and its endorsements, for the client to sign. */
export function prepareTransaction(
  proposal: Pick<Proposal, 'headerBytes' | 'visiblePayload'>,
  completed: { readonly payload: Uint8Array; readonly endorsements: readonly peer.Endorsement[] },
): common.Envelope {
  const endorsed = new peer.ChaincodeEndorsedAction();
  endorsed.setProposalResponsePayload(completed.payload);
  endorsed.setEndorsementsList([...completed.endorsements]);
  const actionPayload = new peer.ChaincodeActionPayload();
  actionPayload.setChaincodeProposalPayload(proposal.visiblePayload);
  actionPayload.setAction(endorsed);
  const action = new peer.TransactionAction();
  action.setHeader(proposal.headerBytes.signature);
  action.setPayload(actionPayload.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList([action]);
  const header = new common.Header();
  header.setChannelHeader(proposal.headerBytes.channel);
  header.setSignatureHeader(proposal.headerBytes.signature);
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(transaction.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope;
}

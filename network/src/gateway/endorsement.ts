import { gateway, peer } from '@hyperledger/fabric-protos';
import { explain } from '../diagnosis/explanations.js';
import { explainSize } from '../diagnosis/size.js';
import { type Proposal } from '../endorser/proposal.js';
import { errorMessage } from '../protos/bytes.js';
import { type GatewayPeer, type PeerDirectory, peersWithChaincode } from './peer-directory.js';
import { EndorsementPlan, planForInterest } from './plan.js';
import { prepareTransaction } from './prepare-transaction.js';
import { readProposal, within } from './requests.js';
import { responseStatus } from './response-status.js';
import { rpc } from './rpc-error.js';

/** Longest wait for one endorser (core.yaml: peer.gateway.endorsementTimeout). */
const endorsementTimeoutMs = 30_000;

/** Collects the endorsements of a proposal from peers of the channel. Source: internal/pkg/gateway/endorse.go. */
export class Endorsement {
  constructor(
    private readonly local: GatewayPeer,
    private readonly directory: PeerDirectory,
  ) {}

  async endorse(request: gateway.EndorseRequest, signal: AbortSignal): Promise<gateway.EndorseResponse> {
    const signed = request.getProposedTransaction();
    if (!signed || signed.getProposalBytes_asU8().length === 0) {
      throw rpc.invalidArgument('the proposed transaction must contain a signed proposal');
    }
    const proposal = readProposal(signed, '');
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
      for (const sentence of plan.explanations) explain(proposal.txId, sentence);
      throw rpc.aborted(
        'failed to collect enough transaction endorsements, see attached details for more info',
        plan.details,
      );
    }
    const response = new gateway.EndorseResponse();
    const transaction = prepareTransaction(proposal, plan.completed);
    explainSize(proposal.txId, transaction.getPayload_asU8().length);
    response.setPreparedTransaction(transaction);
    return response;
  }

  #planForOrganizations({ channel, chaincode }: Proposal, organizations: readonly string[]): EndorsementPlan {
    const able = peersWithChaincode(this.directory, channel, chaincode);
    const missing = organizations.filter((mspId) => !able.some((candidate) => candidate.mspId === mspId));
    if (missing.length > 0) {
      throw rpc.unavailable(`failed to find any endorsing peers for org(s): ${missing.join(', ')}`);
    }
    return new EndorsementPlan([organizations], able);
  }

  /** Asks one peer, preferably the local one, and plans the rest by what the transaction touched there. */
  async #planFromFirstEndorser(proposal: Proposal, signal: AbortSignal): Promise<EndorsementPlan> {
    const { channel, chaincode, signed, txId } = proposal;
    const defaultCall = new peer.ChaincodeCall();
    defaultCall.setName(chaincode);
    const first = this.#firstEndorser(proposal, defaultCall);
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
    const plan = this.#derivedPlan(channel, calls.length > 0 ? calls : [defaultCall], first.mspId, txId);
    plan.addEndorsement(first, answer.response);
    return plan;
  }

  #firstEndorser(
    { channel, chaincode, hasTransientData, txId }: Proposal,
    defaultCall: peer.ChaincodeCall,
  ): GatewayPeer {
    const able = peersWithChaincode(this.directory, channel, chaincode);
    if (able.includes(this.local)) return this.local;
    if (hasTransientData) {
      throw rpc.failedPrecondition(
        "no endorsers found in the gateway's organization; retry specifying endorsing organization(s) to protect transient data",
      );
    }
    const [first] = this.#derivedPlan(channel, [defaultCall], undefined, txId).next() ?? [];
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
    txId: string,
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
      return planForInterest(channel, calls, peers, preferred, (sentence) => explain(txId, sentence));
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

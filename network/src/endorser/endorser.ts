import { common, peer } from '@hyperledger/fabric-protos';
import { explain } from '../diagnosis/explanations.js';
import { identityProblem } from '../diagnosis/identity.js';
import { explainSize } from '../diagnosis/size.js';
import { lifecycleNamespace } from '../ledger/lifecycle-state.js';
import { type WrittenPolicies } from '../ledger/simulator.js';
import { type Signer } from '../msp/identity.js';
import { errorMessage } from '../protos/bytes.js';
import { bytesField, delimitedField, Wire, wire } from '../protos/wire.js';
import { type ChaincodeResult, type ChaincodeSupport } from '../shim/chaincode-support.js';
import { type TransactionParameters } from '../shim/context.js';
import { chaincodeDefinition, checkProposal, type PeerChannel, writersPolicy } from './channel.js';
import { executeLifecycle, newResponse } from './lifecycle.js';
import { filterProposal, type Proposal, unpackProposal, validateProposal } from './proposal.js';
import { executeQscc } from './qscc.js';

/** From this status on a response is an error that nobody endorses. */
const errorThreshold = 400;
const error = 500;

/** What a peer says to a proposal. Refusals before the chaincode runs have an `error`, some of them no response. */
export interface EndorserResult {
  readonly response?: peer.ProposalResponse;
  readonly error?: string;
}

export interface EndorserOptions {
  readonly signer: Signer;
  readonly channel: (name: string) => PeerChannel | undefined;
  readonly chaincodes: ChaincodeSupport;
  readonly timeWindowSeconds: number;
}

const systemChaincodes: readonly string[] = ['qscc', lifecycleNamespace];

export function isSystemChaincode(name: string): boolean {
  return systemChaincodes.includes(name);
}

/** Checks proposals, runs them and signs the results (core/endorser/endorser.go). */
export class Endorser {
  constructor(private readonly options: EndorserOptions) {}

  /** Runs a proposal and endorses its result. */
  process(signed: peer.SignedProposal): Promise<EndorserResult> {
    return this.#process(signed, true);
  }

  /** Runs a proposal for its response alone: a gateway's evaluate drops what else an endorser says. */
  query(signed: peer.SignedProposal): Promise<EndorserResult> {
    return this.#process(signed, false);
  }

  async #process(signed: peer.SignedProposal, endorse: boolean): Promise<EndorserResult> {
    let proposal: Proposal;
    try {
      proposal = unpackProposal(signed);
    } catch (cause) {
      return refusal(errorMessage(cause));
    }
    const channel = this.options.channel(proposal.channel);
    if (!channel) return { response: failed(`channel '${proposal.channel}' not found`) };
    try {
      filterProposal(proposal, channel.policies.manager, this.options.timeWindowSeconds);
    } catch (cause) {
      const identity = proposal.signatureHeader.getCreator_asU8();
      explain(proposal.txId, identityProblem(identity, channel.policies.manager) ?? errorMessage(cause));
      return { error: errorMessage(cause) };
    }
    try {
      this.#check(proposal, channel);
    } catch (cause) {
      return refusal(errorMessage(cause));
    }
    try {
      return { response: await this.#run(proposal, channel, endorse) };
    } catch (cause) {
      return { response: failed(errorMessage(cause)) };
    }
  }

  #check(proposal: Proposal, channel: PeerChannel): void {
    try {
      validateProposal(proposal, channel.policies.manager);
    } catch (cause) {
      const identity = proposal.signatureHeader.getCreator_asU8();
      explain(proposal.txId, identityProblem(identity, channel.policies.manager) ?? errorMessage(cause));
      throw new Error(`error validating proposal: ${errorMessage(cause)}`, { cause });
    }
    if (channel.ledger.transactionLocation(proposal.txId)) {
      const creator = Buffer.from(proposal.signatureHeader.getCreator_asU8()).toString('hex');
      throw new Error(`duplicate transaction found [${proposal.txId}]. Creator [${creator}]`);
    }
    if (isSystemChaincode(proposal.chaincode)) return;
    const denied = checkProposal(channel, writersPolicy, proposal.signed);
    if (denied !== null) throw new Error(denied);
  }

  async #run(proposal: Proposal, channel: PeerChannel, endorse: boolean): Promise<peer.ProposalResponse> {
    const { chaincode } = proposal;
    if (chaincode === 'qscc') {
      const response = await executeQscc(proposal.input, proposal.signed, this.options.channel);
      if (!endorse && succeeded(response)) return withResponse(response);
      return this.#respond(proposal, response, undefined, new Wire([]), new Map(), '');
    }
    const version = isSystemChaincode(chaincode) ? 'syscc' : chaincodeDefinition(channel, chaincode)?.version;
    if (version === undefined) {
      throw new Error(
        `make sure the chaincode ${chaincode} has been successfully defined on channel ${channel.name} and try again: ` +
          `chaincode ${chaincode} not found`,
      );
    }
    const simulator = channel.ledger.simulator(proposal.txId);
    try {
      const parameters: TransactionParameters = {
        txId: proposal.txId,
        channel: channel.name,
        signedProposal: proposal.signed,
        ledger: channel.ledger,
        simulator,
      };
      const { response, event } = await this.#simulate(parameters, proposal);
      if (!endorse && succeeded(response)) {
        explainSize(proposal.txId, response.getPayload_asU8().length);
        return withResponse(response);
      }
      const { bytes, policies } = await simulator.results();
      return this.#respond(proposal, response, event, bytes, policies, version);
    } catch (cause) {
      throw new Error(`error in simulation: ${errorMessage(cause)}`, { cause });
    } finally {
      await simulator.done();
    }
  }

  async #simulate(parameters: TransactionParameters, proposal: Proposal): Promise<ChaincodeResult> {
    if (proposal.chaincode === lifecycleNamespace) return executeLifecycle(parameters, proposal.input);
    return this.options.chaincodes.execute(parameters, proposal.chaincode, proposal.input);
  }

  #respond(
    proposal: Proposal,
    response: peer.Response,
    event: peer.ChaincodeEvent | undefined,
    results: Wire,
    policies: ReadonlyMap<string, WrittenPolicies>,
    version: string,
  ): peer.ProposalResponse {
    const status = response.getStatus();
    const message = withResponse(response);
    if (status >= errorThreshold && status < error) return message;
    const payload = responsePayload(proposal, response, event, results, version);
    message.setPayload(payload);
    message.setInterest(interestOf(policies));
    if (status >= error) return message;
    const { signer } = this.options;
    const endorsement = new peer.Endorsement();
    endorsement.setEndorser(signer.serialized);
    endorsement.setSignature(signer.sign(payload, signer.serialized));
    message.setVersion(1);
    message.setEndorsement(endorsement);
    return message;
  }
}

function refusal(text: string): EndorserResult {
  return { response: failed(text), error: text };
}

function failed(text: string): peer.ProposalResponse {
  return withResponse(newResponse(error, text));
}

function withResponse(response: peer.Response): peer.ProposalResponse {
  const message = new peer.ProposalResponse();
  message.setResponse(response);
  return message;
}

function succeeded(response: peer.Response): boolean {
  return response.getStatus() < errorThreshold;
}

function responsePayload(
  proposal: Proposal,
  response: peer.Response,
  event: peer.ChaincodeEvent | undefined,
  results: Wire,
  version: string,
): Buffer {
  const id = new peer.ChaincodeID();
  id.setName(proposal.chaincode);
  id.setVersion(version);
  const action = wire(
    bytesField(1, results),
    bytesField(2, event?.serializeBinary() ?? new Uint8Array(0)),
    delimitedField(3, response.serializeBinary()),
    delimitedField(4, id.serializeBinary()),
  );
  return wire(bytesField(1, proposal.hash), bytesField(2, action)).toBuffer();
}

/** Which chaincodes and key-level policies the transaction involves, for the choice of further endorsers. */
function interestOf(policies: ReadonlyMap<string, WrittenPolicies>): peer.ChaincodeInterest {
  const interest = new peer.ChaincodeInterest();
  for (const [name, { keyPolicies, chaincodePolicyRequired }] of policies) {
    if (name === lifecycleNamespace || (keyPolicies.length === 0 && !chaincodePolicyRequired)) continue;
    const call = new peer.ChaincodeCall();
    call.setName(name);
    call.setKeyPoliciesList(
      keyPolicies.map((bytes) => common.SignaturePolicyEnvelope.deserializeBinary(bytes)),
    );
    call.setDisregardNamespacePolicy(keyPolicies.length > 0 && !chaincodePolicyRequired);
    interest.addChaincodes(call);
  }
  return interest;
}

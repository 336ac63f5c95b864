import { type common, type peer } from '@hyperledger/fabric-protos';
import { chaincodeDefinition, type PeerChannel } from '../endorser/channel.js';
import { type ChaincodeDefinition } from '../ledger/lifecycle-state.js';
import { resolveApplicationPolicy } from '../policy/channel-policies.js';
import { endorserSets, jointEndorserSets } from '../policy/endorsers.js';
import { signaturePolicyFromMessage } from '../policy/signature-policy.js';
import { differences } from '../diagnosis/differences.js';
import { endorsedAndMissing, missingOrganizations } from '../policy/missing.js';
import { equalBytes } from '../protos/bytes.js';
import { type ErrorDetail } from './rpc-error.js';
import { type GatewayPeer } from './peer-directory.js';

/**
 * Which peers to ask for endorsements: layouts are sets of organisations that satisfy the policies, tried in turn. An
 * endorsement that is there counts in every layout that has its organisation. Source: internal/pkg/gateway/endorsement.go.
 */
export class EndorsementPlan {
  /** Those that may still be completed. */
  #layouts: readonly (readonly string[])[];
  readonly #choices: readonly (readonly string[])[];
  /** In the order in which they came. */
  readonly #endorsements = new Map<string, peer.Endorsement>();
  readonly #endorsed: string[] = [];
  readonly #differences: string[] = [];
  readonly #peers: ReadonlyMap<string, GatewayPeer>;
  readonly #asked = new Set<string>();
  readonly details: ErrorDetail[] = [];
  #responsePayload: Uint8Array | undefined;
  #completed: readonly peer.Endorsement[] | undefined;

  constructor(layouts: readonly (readonly string[])[], peers: Iterable<GatewayPeer>) {
    this.#choices = this.#layouts = layouts;
    this.#peers = new Map(Array.from(peers, (candidate) => [candidate.mspId, candidate]));
  }

  /** The endorsements of the layout that is complete. */
  get completed(): { payload: Uint8Array; endorsements: readonly peer.Endorsement[] } | undefined {
    if (!this.#completed || !this.#responsePayload) return undefined;
    return { payload: this.#responsePayload, endorsements: this.#completed };
  }

  /** Peers to ask next: those that the first possible layout still misses. Undefined when no layout is left. */
  next(): GatewayPeer[] | undefined {
    for (const [index, layout] of this.#layouts.entries()) {
      const missing = layout.filter((mspId) => !this.#endorsements.has(mspId));
      const peers = missing.map((mspId) => this.#peers.get(mspId));
      if (!peers.every((candidate) => candidate && !this.#asked.has(candidate.mspId))) continue;
      this.#layouts = this.#layouts.slice(index);
      const chosen = peers.filter((candidate) => candidate !== undefined);
      for (const { mspId } of chosen) this.#asked.add(mspId);
      return chosen;
    }
    this.#layouts = [];
    return undefined;
  }

  addEndorsement(endorser: GatewayPeer, response: peer.ProposalResponse): void {
    this.#asked.add(endorser.mspId);
    const payload = response.getPayload_asU8();
    this.#responsePayload ??= payload;
    if (!equalBytes(this.#responsePayload, payload)) {
      const [first = ''] = this.#endorsed;
      this.#differences.push(
        ...differences({ mspId: first, payload: this.#responsePayload }, { mspId: endorser.mspId, payload }),
      );
      this.addFailure(endorser, 'ProposalResponsePayloads do not match');
      return;
    }
    this.#endorsed.push(endorser.mspId);
    const endorsement = response.getEndorsement();
    if (!endorsement) return;
    this.#endorsements.set(endorser.mspId, endorsement);
    const complete = this.#layouts.find((layout) => layout.every((mspId) => this.#endorsements.has(mspId)));
    this.#completed ??=
      complete &&
      [...this.#endorsements].filter(([mspId]) => complete.includes(mspId)).map(([, signed]) => signed);
  }

  /** Why the plan failed: who is missing, and what organisations answered differently. */
  get explanations(): string[] {
    const failures = this.details.map(({ mspId, message }) => `${mspId} did not: ${message}`);
    const missing = [endorsedAndMissing(this.#choices, this.#endorsed), ...failures].join('; ');
    if (this.#differences.length === 0) return [missing];
    return [
      missing,
      `the chaincode is not deterministic (a clock, randomness, or state of its process): ${this.#differences.join('; ')}`,
    ];
  }

  /** Notes why a peer did not endorse, and gives up the layouts that need it. */
  addFailure(endorser: GatewayPeer, message: string): void {
    const { mspId, address } = endorser;
    this.details.push({ address, mspId, message });
    this.#layouts = this.#layouts.filter((layout) => !layout.includes(mspId));
  }
}

/**
 * Layouts for what a transaction touches; the ones with the preferred organisation come first.
 *
 * @throws Error with Fabric's text where no combination of peers can satisfy the policies
 */
export function planForInterest(
  channel: PeerChannel,
  calls: readonly peer.ChaincodeCall[],
  peers: readonly GatewayPeer[],
  preferred: string | undefined,
  tell: (sentence: string) => void,
): EndorsementPlan {
  const choices = calls.flatMap((call) => setsOf(channel, call));
  const members = new Set(peers.map(({ mspId }) => mspId));
  const possible = jointEndorserSets(choices).filter((set) => set.every((mspId) => members.has(mspId)));
  if (possible.length === 0) {
    const missing = missingOrganizations(jointEndorserSets(choices), [...members]);
    tell(`the policy needs ${missing}, who have no peer on the channel`);
    throw underivable('no peer combination can satisfy the endorsement policy');
  }
  const able = peers.filter((candidate) =>
    calls.every((call) => candidate.hasChaincode(channel.name, call.getName())),
  );
  const ready = new Set(able.map(({ mspId }) => mspId));
  const layouts = shuffled(possible.filter((set) => set.every((mspId) => ready.has(mspId))));
  if (layouts.length === 0) {
    const missing = missingOrganizations(possible, [...ready]);
    tell(
      `the policy needs ${missing}, who run no chaincode ${calls.map((call) => call.getName()).join(', ')}`,
    );
    throw underivable('required chaincodes are not installed on sufficient peers');
  }
  const [first, others] = [true, false].map((wanted) =>
    layouts.filter((set) => (preferred !== undefined && set.includes(preferred)) === wanted),
  );
  return new EndorsementPlan([...(first ?? []), ...(others ?? [])], able);
}

/** Organisations that satisfy one call: the chaincode's policy, unless keys replace it, and each key's policy. */
function setsOf(channel: PeerChannel, call: peer.ChaincodeCall): (readonly string[])[][] {
  const definition = chaincodeDefinition(channel, call.getName());
  if (!definition) {
    throw underivable(`No metadata was found for chaincode ${call.getName()} in channel ${channel.name}`);
  }
  const keyPolicies = call
    .getKeyPoliciesList()
    .map((envelope: common.SignaturePolicyEnvelope) =>
      endorserSets(signaturePolicyFromMessage(envelope), channel.policies),
    );
  if (call.getDisregardNamespacePolicy()) return keyPolicies;
  let sets = definitionSets.get(definition);
  if (!sets) {
    const policy = resolveApplicationPolicy(definition.validationParameter, channel.policies);
    sets = endorserSets(policy, channel.policies);
    definitionSets.set(definition, sets);
  }
  return [sets, ...keyPolicies];
}

/** A definition's policy never changes. */
const definitionSets = new WeakMap<ChaincodeDefinition, (readonly string[])[]>();

function underivable(reason: string): Error {
  return new Error(`no combination of peers can be derived which satisfy the endorsement policy: ${reason}`);
}

/** So that the load is on all organisations. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

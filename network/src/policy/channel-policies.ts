import { common, peer } from '@hyperledger/fabric-protos';
import { type Identity } from '../msp/identity.js';
import { type MspManager } from '../msp/manager.js';
import { satisfiesSignaturePolicy, type SignedData, validIdentities } from './evaluate.js';
import { parseSignaturePolicy } from './parser.js';
import {
  type SignaturePolicy,
  signaturePolicyFromMessage,
  signaturePolicyMessage,
} from './signature-policy.js';

export type MetaRule = 'ANY' | 'ALL' | 'MAJORITY';

/** A policy that asks the same-named policy of every organisation. */
export interface ImplicitMetaPolicy {
  readonly meta: MetaRule;
  readonly subPolicy: string;
}

export type Policy = SignaturePolicy | ImplicitMetaPolicy;

export function isImplicitMeta(policy: Policy): policy is ImplicitMetaPolicy {
  return 'meta' in policy;
}

/**
 * Reads a signature policy or `ANY|ALL|MAJORITY <name>`.
 *
 * @throws PolicySyntaxError
 */
export function parsePolicy(text: string): Policy {
  const match = /^\s*(ANY|ALL|MAJORITY)\s+([A-Za-z][\w-]*)\s*$/.exec(text);
  if (match) return { meta: match[1] as MetaRule, subPolicy: match[2] ?? '' };
  return parseSignaturePolicy(text);
}

/** How many of the organisations must agree. Peerless organisations count like all others. */
export function metaThreshold(rule: MetaRule, organizations: number): number {
  if (organizations === 0) return 0;
  if (rule === 'ANY') return 1;
  return rule === 'ALL' ? organizations : Math.floor(organizations / 2) + 1;
}

/** The sub-policies that every organisation of an application channel has, as in Fabric's sample configuration. */
export function organizationPolicies(mspId: string): Readonly<Record<string, SignaturePolicy>> {
  return {
    Readers: parseSignaturePolicy(`OR('${mspId}.admin','${mspId}.peer','${mspId}.client')`),
    Writers: parseSignaturePolicy(`OR('${mspId}.admin','${mspId}.client')`),
    Admins: parseSignaturePolicy(`OR('${mspId}.admin')`),
    Endorsement: parseSignaturePolicy(`OR('${mspId}.peer')`),
  };
}

/** The policies below `/Channel/Application` of one channel, and the judge of any policy that refers to them. */
export class ChannelPolicies {
  readonly #organizations: ReadonlyMap<string, Readonly<Record<string, SignaturePolicy>>>;
  readonly #named: Readonly<Record<string, Policy>>;

  constructor(
    readonly manager: MspManager,
    readonly members: readonly string[],
    named: Readonly<Record<string, Policy>>,
  ) {
    this.#organizations = new Map(members.map((mspId) => [mspId, organizationPolicies(mspId)]));
    this.#named = {
      Readers: { meta: 'ANY', subPolicy: 'Readers' },
      Writers: { meta: 'ANY', subPolicy: 'Writers' },
      Admins: { meta: 'MAJORITY', subPolicy: 'Admins' },
      ...named,
    };
  }

  /** A policy of the channel by its path, for example `/Channel/Application/Endorsement`. */
  named(path: string): Policy | undefined {
    return this.#named[path.replace(/^\/Channel\/Application\//, '')];
  }

  get names(): string[] {
    return Object.keys(this.#named);
  }

  /** Each organisation's own policy of that name. */
  subPolicies(name: string): { mspId: string; policy: SignaturePolicy | undefined }[] {
    return Array.from(this.#organizations, ([mspId, policies]) => ({ mspId, policy: policies[name] }));
  }

  /** Null if the identities satisfy the policy, otherwise Fabric's words for it. */
  problem(policy: Policy, identities: readonly Identity[]): string | null {
    if (!isImplicitMeta(policy)) {
      return satisfiesSignaturePolicy(policy, identities, this.manager)
        ? null
        : 'signature set did not satisfy policy';
    }
    const needed = metaThreshold(policy.meta, this.members.length);
    const satisfied = this.subPolicies(policy.subPolicy).filter(
      ({ policy: sub }) => sub && satisfiesSignaturePolicy(sub, identities, this.manager),
    ).length;
    if (satisfied >= needed) return null;
    return (
      `implicit policy evaluation failed - ${satisfied} sub-policies were satisfied, but this policy requires ` +
      `${needed} of the '${policy.subPolicy}' sub-policies to be satisfied`
    );
  }

  /**
   * Checks a signature against a named policy. `verify` may know the outcome of the signature check already.
   *
   * @returns null, or Fabric's error text
   */
  checkSigned(
    channel: string,
    path: string,
    signed: readonly SignedData[],
    verify?: (identity: Identity, signed: SignedData) => boolean,
  ): string | null {
    const policy = this.named(path);
    const problem = policy
      ? this.problem(policy, validIdentities(signed, this.manager, verify))
      : `policy ${path} was not found`;
    if (problem === null) return null;
    return (
      `Failed evaluating policy on signed data during check policy on channel [${channel}] ` +
      `with policy [${path}]: [${problem}]`
    );
  }
}

/** The policy that a chaincode definition carries: its own or a reference to one of the channel. */
export function encodeApplicationPolicy(policy: Policy | string): Uint8Array {
  const message = new peer.ApplicationPolicy();
  if (typeof policy === 'string') message.setChannelConfigPolicyReference(policy);
  else if (isImplicitMeta(policy))
    message.setChannelConfigPolicyReference(`${policy.meta} ${policy.subPolicy}`);
  else message.setSignaturePolicy(signaturePolicyMessage(policy));
  return message.serializeBinary();
}

/**
 * @returns the policy, looked up in the channel where the bytes hold a reference
 * @throws Error where the bytes are not a policy or the reference leads nowhere
 */
export function resolveApplicationPolicy(bytes: Uint8Array, policies: ChannelPolicies): Policy {
  const message = peer.ApplicationPolicy.deserializeBinary(bytes);
  const own = message.getSignaturePolicy();
  if (own) return signaturePolicyFromMessage(own);
  const reference = message.getChannelConfigPolicyReference();
  const policy =
    policies.named(reference) ??
    (/^(ANY|ALL|MAJORITY) /.test(reference) ? parsePolicy(reference) : undefined);
  if (!policy) throw new Error(`policy ${reference} was not found`);
  return policy;
}

/** Fabric's ImplicitMetaPolicy or SignaturePolicyEnvelope, as it stands in a channel configuration. */
export function configPolicy(policy: Policy): common.Policy {
  const message = new common.Policy();
  if (isImplicitMeta(policy)) {
    const meta = new common.ImplicitMetaPolicy();
    meta.setRule(common.ImplicitMetaPolicy.Rule[policy.meta]);
    meta.setSubPolicy(policy.subPolicy);
    message.setType(common.Policy.PolicyType.IMPLICIT_META);
    message.setValue(meta.serializeBinary());
  } else {
    message.setType(common.Policy.PolicyType.SIGNATURE);
    message.setValue(signaturePolicyMessage(policy).serializeBinary());
  }
  return message;
}

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { NetworkError } from '../errors.js';
import { isImplicitMeta, parsePolicy, type Policy } from '../policy/channel-policies.js';
import type { Rule } from '../policy/signature-policy.js';

/*
 * Changes of a channel's configuration, in the JSON that configtxlator makes of it. Only the part that is changed is
 * described here; the rest is handed through as it is.
 */

const policySchema = z.looseObject({ policy: z.looseObject({ type: z.int(), value: z.unknown() }) });
const applicationSchema = z.looseObject({
  groups: z.record(z.string(), z.unknown()).default({}),
  policies: z.record(z.string(), policySchema).default({}),
  version: z.coerce.string().default('0'),
});

/** A channel configuration as configtxlator decodes it (`common.Config`). */
export const channelConfigSchema = z.looseObject({
  channel_group: z.looseObject({
    groups: z.looseObject({ Application: applicationSchema }),
  }),
});
export type ChannelConfigJson = z.infer<typeof channelConfigSchema>;

/** An organisation as `configtxgen -printOrg` describes it: its authorities and policies, no secret. */
export const organizationDefinitionSchema = z.looseObject({
  values: z.looseObject({
    MSP: z.looseObject({ value: z.looseObject({ config: z.looseObject({ name: z.string() }) }) }),
  }),
});
export type OrganizationDefinition = z.infer<typeof organizationDefinitionSchema>;

/** The policies below `/Channel/Application` that decide something, as texts. */
export interface ChannelPolicyTexts {
  readonly endorsement: string;
  /** Default: the endorsement policy. */
  readonly lifecycleEndorsement?: string;
  readonly admins: string;
}

/** Who joins a channel, who leaves it, and the policies from then on. */
export interface ChannelChange {
  readonly add?: readonly OrganizationDefinition[];
  /** MSP ids. */
  readonly remove?: readonly string[];
  readonly policies?: ChannelPolicyTexts;
}

/**
 * The configuration with a change made; the one given stays as it is.
 * @throws NetworkError ORGANIZATION_UNKNOWN for an organisation to be removed that is no member; PolicySyntaxError
 */
export function applyChange(config: ChannelConfigJson, change: ChannelChange): ChannelConfigJson {
  const changed = structuredClone(config);
  const { groups, policies } = changed.channel_group.groups.Application;
  for (const definition of change.add ?? []) groups[definition.values.MSP.value.config.name] = definition;
  for (const mspId of change.remove ?? []) {
    if (!(mspId in groups))
      throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} is not a member of the channel.`);
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a record of a foreign format
    delete groups[mspId];
  }
  if (change.policies) {
    const { endorsement, lifecycleEndorsement = endorsement, admins } = change.policies;
    const texts = { Endorsement: endorsement, LifecycleEndorsement: lifecycleEndorsement, Admins: admins };
    for (const [name, text] of Object.entries(texts))
      policies[name] = {
        mod_policy: 'Admins',
        version: '0',
        ...policies[name],
        policy: policyJson(parsePolicy(text)),
      };
  }
  return changed;
}

/** Whether a configuration is as a change would have it. */
export function isInForce(config: ChannelConfigJson, change: ChannelChange): boolean {
  const { groups } = config.channel_group.groups.Application;
  const { add = [], remove = [] } = change;
  if (add.some((definition) => !(definition.values.MSP.value.config.name in groups))) return false;
  if (remove.some((mspId) => mspId in groups)) return false;
  return isDeepStrictEqual(
    policyTexts(config),
    policyTexts(applyChange(config, { ...change, add, remove: [] })),
  );
}

function policyTexts(config: ChannelConfigJson): string[] {
  const { policies } = config.channel_group.groups.Application;
  return ['Endorsement', 'LifecycleEndorsement', 'Admins'].map((name) =>
    policies[name] ? policyText(policies[name].policy) : 'none',
  );
}

/**
 * More than half of the organisations that will have a peer after a change, in one role: the policies to propose with
 * it. An organisation has a peer if it names an anchor peer.
 */
export function majorityAfter(
  config: ChannelConfigJson,
  change: ChannelChange,
  role: 'peer' | 'admin',
): string {
  const { groups } = applyChange(config, change).channel_group.groups.Application;
  const principals = Object.entries(groups)
    .filter(([, group]) => anchoredSchema.safeParse(group).success)
    .map(([mspId]) => `'${mspId}.${role}'`)
    .sort();
  return `OutOf(${Math.floor(principals.length / 2) + 1},${principals.join(',')})`;
}

const anchoredSchema = z.looseObject({
  values: z.looseObject({
    AnchorPeers: z.looseObject({ value: z.looseObject({ anchor_peers: z.array(z.unknown()).min(1) }) }),
  }),
});

const IMPLICIT_META = 3;
const SIGNATURE = 1;

/** A policy as configtxlator writes it. */
export function policyJson(policy: Policy): { type: number; value: unknown } {
  if (isImplicitMeta(policy))
    return { type: IMPLICIT_META, value: { rule: policy.meta, sub_policy: policy.subPolicy } };
  const identities = policy.identities.map(({ mspId, role }) => ({
    principal: { msp_identifier: mspId, role: role.toUpperCase() },
    principal_classification: 'ROLE',
  }));
  return { type: SIGNATURE, value: { identities, rule: ruleJson(policy.rule), version: 0 } };
}

function ruleJson(rule: Rule): unknown {
  if ('signedBy' in rule) return { signed_by: rule.signedBy };
  return { n_out_of: { n: rule.n, rules: rule.rules.map(ruleJson) } };
}

type RuleJson = { signed_by: number } | { n_out_of: { n: number; rules: RuleJson[] } };
const ruleSchema: z.ZodType<RuleJson> = z.lazy(() =>
  z.union([
    z.object({ n_out_of: z.object({ n: z.int().default(0), rules: z.array(ruleSchema).default([]) }) }),
    z.object({ signed_by: z.int().default(0) }),
  ]),
);
const valueSchema = z.union([
  z.object({
    identities: z.array(
      z.object({ principal: z.object({ msp_identifier: z.string(), role: z.string().default('MEMBER') }) }),
    ),
    rule: ruleSchema,
  }),
  z.object({ rule: z.enum(['ANY', 'ALL', 'MAJORITY']).default('ANY'), sub_policy: z.string() }),
]);

/** A policy of a configuration in Fabric's policy language, for a person who is to sign. */
export function policyText(policy: { type: number; value?: unknown }): string {
  const parsed = valueSchema.safeParse(policy.value);
  if (!parsed.success) return `a policy of type ${policy.type}`;
  const value = parsed.data;
  if ('sub_policy' in value) return `${value.rule} ${value.sub_policy}`;
  const text = (rule: RuleJson): string => {
    if ('n_out_of' in rule) return `OutOf(${[rule.n_out_of.n, ...rule.n_out_of.rules.map(text)].join(',')})`;
    const principal = value.identities[rule.signed_by]?.principal;
    return `'${principal?.msp_identifier ?? '?'}.${(principal?.role ?? '?').toLowerCase()}'`;
  };
  return text(value.rule);
}

import { type ChannelPolicies, isImplicitMeta, metaThreshold, type Policy } from './channel-policies.js';
import { type Rule, type SignaturePolicy } from './signature-policy.js';

/**
 * Which sets of organisations' peers can satisfy a policy. Every organisation has at most one peer here, so a set of
 * peers is a set of MSP ids. Source: discovery/endorsement, common/policies/inquire.
 */

/** Bound on the sets of one rule; enough choice, and quick also where a policy has many more. */
const mostCombinations = 1000;

type OrganizationSet = readonly string[];

function combine(rules: readonly (readonly OrganizationSet[])[], n: number): OrganizationSet[] {
  const all = firstCombinations(rules, n, mostCombinations);
  if (all.length < mostCombinations) return all;
  // Too many: some that begin with each rule, so that no organisation is asked more often than the others.
  const share = Math.max(1, Math.floor(mostCombinations / rules.length));
  return rules.flatMap((_, i) => firstCombinations([...rules.slice(i), ...rules.slice(0, i)], n, share));
}

function firstCombinations(
  rules: readonly (readonly OrganizationSet[])[],
  n: number,
  most: number,
): OrganizationSet[] {
  const results: OrganizationSet[] = [];
  function choose(index: number, missing: number, taken: readonly string[]): void {
    if (results.length === most) return;
    if (missing === 0) {
      results.push(taken);
      return;
    }
    if (rules.length - index < missing) return;
    for (const set of rules[index] ?? []) {
      // One peer cannot be counted for two principals.
      if (!set.some((organization) => taken.includes(organization))) {
        choose(index + 1, missing - 1, [...taken, ...set]);
      }
    }
    choose(index + 1, missing, taken);
  }
  choose(0, n, []);
  return results;
}

function ofSignaturePolicy(policy: SignaturePolicy): OrganizationSet[] {
  function of(rule: Rule): OrganizationSet[] {
    if ('signedBy' in rule) {
      const principal = policy.identities[rule.signedBy];
      // Only a peer endorses: other roles have nobody to satisfy them.
      return principal && (principal.role === 'peer' || principal.role === 'member')
        ? [[principal.mspId]]
        : [];
    }
    return combine(rule.rules.map(of), rule.n);
  }
  return of(policy.rule);
}

/** The smallest sets of organisations whose peers satisfy the policy, each once. */
export function endorserSets(policy: Policy, policies: ChannelPolicies): OrganizationSet[] {
  const sets = isImplicitMeta(policy)
    ? combine(
        policies.subPolicies(policy.subPolicy).map(({ policy: sub }) => (sub ? ofSignaturePolicy(sub) : [])),
        metaThreshold(policy.meta, policies.members.length),
      )
    : ofSignaturePolicy(policy);
  return distinct(sets);
}

/** Sets that satisfy all of several policies at once. */
export function jointEndorserSets(choices: readonly (readonly OrganizationSet[])[]): OrganizationSet[] {
  const [only] = choices;
  if (only && choices.length === 1) return [...only];
  let joint: OrganizationSet[] = [[]];
  for (const sets of choices) {
    joint = distinct(joint.flatMap((left) => sets.map((right) => [...new Set([...left, ...right])]))).slice(
      0,
      mostCombinations,
    );
  }
  return joint;
}

function distinct(sets: readonly OrganizationSet[]): OrganizationSet[] {
  const byKey = new Map(sets.map((set) => [[...set].sort().join('\n'), set]));
  return [...byKey.values()];
}

import { type Identity } from '../msp/identity.js';
import { type MspManager } from '../msp/manager.js';
import { type Rule, type SignaturePolicy } from './signature-policy.js';

/** One signature to be judged by a policy. */
export interface SignedData {
  readonly data: Uint8Array;
  readonly identity: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * The distinct identities whose signatures are good, in order. An identity that appears again is dropped before its
 * signature is looked at, so that it counts once.
 */
export function validIdentities(
  signatures: readonly SignedData[],
  manager: MspManager,
  verify: (identity: Identity, signed: SignedData) => boolean = (identity, { data, signature }) =>
    identity.verify(data, signature),
): Identity[] {
  const seen = new Set<string>();
  const identities: Identity[] = [];
  for (const signed of signatures) {
    let identity: Identity;
    try {
      identity = manager.deserialize(signed.identity);
    } catch {
      continue;
    }
    if (seen.has(identity.key) || !verify(identity, signed)) continue;
    seen.add(identity.key);
    identities.push(identity);
  }
  return identities;
}

/**
 * Fabric's evaluation (common/cauthdsl): rules are tried in order, each principal takes the first identity that is
 * still free, and what a failed inner rule took is given back.
 */
export function satisfiesSignaturePolicy(
  policy: SignaturePolicy,
  identities: readonly Identity[],
  manager: MspManager,
): boolean {
  function holds(rule: Rule, used: boolean[]): boolean {
    if ('signedBy' in rule) {
      const principal = policy.identities[rule.signedBy];
      const found = principal
        ? identities.findIndex(
            (identity, index) => !used[index] && manager.satisfies(identity, principal.mspId, principal.role),
          )
        : -1;
      if (found < 0) return false;
      used[found] = true;
      return true;
    }
    let verified = 0;
    for (const inner of rule.rules) {
      const tentative = [...used];
      if (holds(inner, tentative)) {
        verified++;
        tentative.forEach((value, index) => (used[index] = value));
      }
    }
    return verified >= rule.n;
  }
  return holds(policy.rule, new Array<boolean>(identities.length).fill(false));
}

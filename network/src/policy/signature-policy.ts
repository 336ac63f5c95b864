import { common, msp } from '@hyperledger/fabric-protos';
import { type PrincipalRole } from '../msp/msp.js';

/** A rule over the principals of a policy: one of them signed, or at least `n` of the inner rules hold. */
export type Rule = { readonly signedBy: number } | { readonly n: number; readonly rules: readonly Rule[] };

export interface Principal {
  readonly mspId: string;
  readonly role: PrincipalRole;
}

/** Fabric's SignaturePolicyEnvelope. */
export interface SignaturePolicy {
  readonly identities: readonly Principal[];
  readonly rule: Rule;
}

const roleNumbers: Readonly<
  Record<PrincipalRole, msp.MSPRole.MSPRoleTypeMap[keyof msp.MSPRole.MSPRoleTypeMap]>
> = {
  member: msp.MSPRole.MSPRoleType.MEMBER,
  admin: msp.MSPRole.MSPRoleType.ADMIN,
  client: msp.MSPRole.MSPRoleType.CLIENT,
  peer: msp.MSPRole.MSPRoleType.PEER,
  orderer: msp.MSPRole.MSPRoleType.ORDERER,
};

function encodeRule(rule: Rule): common.SignaturePolicy {
  const message = new common.SignaturePolicy();
  if ('signedBy' in rule) {
    message.setSignedBy(rule.signedBy);
  } else {
    const outOf = new common.SignaturePolicy.NOutOf();
    outOf.setN(rule.n);
    outOf.setRulesList(rule.rules.map(encodeRule));
    message.setNOutOf(outOf);
  }
  return message;
}

export function signaturePolicyMessage(policy: SignaturePolicy): common.SignaturePolicyEnvelope {
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.setRule(encodeRule(policy.rule));
  envelope.setIdentitiesList(
    policy.identities.map(({ mspId, role }) => {
      const mspRole = new msp.MSPRole();
      mspRole.setMspIdentifier(mspId);
      mspRole.setRole(roleNumbers[role]);
      const principal = new msp.MSPPrincipal();
      principal.setPrincipalClassification(msp.MSPPrincipal.Classification.ROLE);
      principal.setPrincipal(mspRole.serializeBinary());
      return principal;
    }),
  );
  return envelope;
}

export function encodeSignaturePolicy(policy: SignaturePolicy): Uint8Array {
  return signaturePolicyMessage(policy).serializeBinary();
}

function decodeRule(message: common.SignaturePolicy | undefined, identities: number): Rule {
  switch (message?.getTypeCase()) {
    case common.SignaturePolicy.TypeCase.SIGNED_BY: {
      const signedBy = message.getSignedBy();
      if (signedBy < 0 || signedBy >= identities) {
        throw new Error(
          `identity index out of range, requested ${signedBy}, but identities length is ${identities}`,
        );
      }
      return { signedBy };
    }
    case common.SignaturePolicy.TypeCase.N_OUT_OF: {
      const outOf = message.getNOutOf();
      return {
        n: outOf?.getN() ?? 0,
        rules: (outOf?.getRulesList() ?? []).map((rule) => decodeRule(rule, identities)),
      };
    }
    default:
      throw new Error('Empty policy element');
  }
}

function decodePrincipal(principal: msp.MSPPrincipal): Principal {
  if (principal.getPrincipalClassification() !== msp.MSPPrincipal.Classification.ROLE) {
    throw new Error('Only principals that name a role of an organisation are supported.');
  }
  const role = msp.MSPRole.deserializeBinary(principal.getPrincipal_asU8());
  const found = (Object.keys(roleNumbers) as PrincipalRole[]).find(
    (name) => roleNumbers[name] === role.getRole(),
  );
  if (!found) throw new Error(`invalid MSP role type ${role.getRole()}`);
  return { mspId: role.getMspIdentifier(), role: found };
}

/** @throws Error where the message is not a policy over roles */
export function signaturePolicyFromMessage(envelope: common.SignaturePolicyEnvelope): SignaturePolicy {
  const identities = envelope.getIdentitiesList().map(decodePrincipal);
  return { identities, rule: decodeRule(envelope.getRule(), identities.length) };
}

/** @throws Error where the bytes are not a policy over roles */
export function decodeSignaturePolicy(bytes: Uint8Array): SignaturePolicy {
  return signaturePolicyFromMessage(common.SignaturePolicyEnvelope.deserializeBinary(bytes));
}

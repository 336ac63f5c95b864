/** Who calls: MSP and certificate subject, which renewed certificates keep, and the role that the MSP's CA vouches for. */
import { X509Certificate } from 'node:crypto';
import { type ClientIdentity } from 'fabric-shim-api';
import { ROLE_ATTRIBUTE, type Role, roles } from '../api/primitives.js';
import { ContractError } from '../errors.js';

export interface Caller {
  readonly mspId: string;
  /** Subject in the certificate's order, `OU=client,CN=alice`. */
  readonly subject: string;
  readonly role: Role;
}

/** @throws ContractError ROLE_REQUIRED unless the certificate carries one of the roles. */
export function callerOf(identity: ClientIdentity, allowed: readonly Role[]): Caller {
  const role = roles.find((name) => name === identity.getAttributeValue(ROLE_ATTRIBUTE));
  if (role === undefined || !allowed.includes(role))
    throw new ContractError(
      'ROLE_REQUIRED',
      `The caller's certificate needs the attribute ${ROLE_ATTRIBUTE} with ${allowed.join(' or ')}.`,
    );
  // Node separates the subject's parts by line feeds and escapes commas inside them (RFC 2253).
  const { subject } = new X509Certificate(identity.getIDBytes());
  return { mspId: identity.getMSPID(), subject: subject.replaceAll('\n', ','), role };
}

/** Id of the researcher that a caller is. */
export const researcherIdOf = (caller: Pick<Caller, 'mspId' | 'subject'>): string =>
  `${caller.mspId}/${caller.subject}`;

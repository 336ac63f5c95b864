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
  return { mspId: identity.getMSPID(), subject: subjectOf(identity.getIDBytes()), role };
}

/** Subjects by certificate: a few identities make all the calls of a process. */
const subjects = new Map<string, string>();
const KEPT_SUBJECTS = 1000;

function subjectOf(certificate: Uint8Array): string {
  const bytes = Buffer.from(certificate).toString('latin1');
  let subject = subjects.get(bytes);
  if (subject === undefined) {
    // Node separates the subject's parts by line feeds and escapes commas inside them (RFC 2253).
    subject = new X509Certificate(certificate).subject.replaceAll('\n', ',');
    if (subjects.size >= KEPT_SUBJECTS) subjects.clear();
    subjects.set(bytes, subject);
  }
  return subject;
}

/** Id of the researcher that a caller is. */
export const researcherIdOf = (caller: Pick<Caller, 'mspId' | 'subject'>): string =>
  `${caller.mspId}/${caller.subject}`;

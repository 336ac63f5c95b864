import { X509Certificate } from 'node:crypto';
import { parseIdentity } from '../msp/identity.js';
import { type MspManager } from '../msp/manager.js';
import { asBuffer, errorMessage } from '../protos/bytes.js';

/**
 * Why an identity is refused, in words that Fabric keeps from outsiders; undefined where nothing is wrong with it.
 *
 * @param bytes - serialized identity
 */
export function identityProblem(
  bytes: Uint8Array,
  manager: MspManager,
  now = new Date(),
): string | undefined {
  let mspId: string;
  let certificate: X509Certificate;
  try {
    const parsed = parseIdentity(bytes);
    mspId = parsed.mspId;
    certificate = new X509Certificate(asBuffer(parsed.pem));
  } catch (error) {
    return `the identity cannot be read: ${errorMessage(error)}`;
  }
  if (!manager.mspIds.includes(mspId))
    return `${mspId} is not a member of the channel, which has ${manager.mspIds.join(', ')}`;
  const who = `the certificate "${commonName(certificate.subject)}" of ${mspId}`;
  if (new Date(certificate.validTo) < now) return `${who} expired on ${certificate.validTo}; issue a new one`;
  if (new Date(certificate.validFrom) > now) return `${who} is valid only from ${certificate.validFrom} on`;
  try {
    const problem = manager.problem(manager.deserialize(bytes));
    return problem === null ? undefined : `${who} is refused: ${problem}`;
  } catch (error) {
    const issuer = commonName(certificate.issuer);
    return `${who} was issued by "${issuer}", which is not this organisation's authority in this network (${errorMessage(error)}); perhaps it belongs to a network that was taken down`;
  }
}

function commonName(name: string): string {
  return /^CN=(.*)$/m.exec(name)?.[1] ?? name;
}

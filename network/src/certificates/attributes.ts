import 'reflect-metadata';
import { Extension, X509Certificate } from '@peculiar/x509';
import { z } from 'zod';
import { NetworkError } from '../errors.js';

/** Object identifier under which Fabric CA keeps a certificate's attributes (fabric-ca, lib/attrmgr). */
export const ATTRIBUTE_OID = '1.2.3.4.5.6.7.8.1';

const attributesSchema = z.object({ attrs: z.record(z.string(), z.string()) });

/** The extension as Fabric CA writes it: not critical, its value the bare JSON `{"attrs":{...}}`, keys sorted. */
export function attributeExtension(attributes: Readonly<Record<string, string>>): Extension {
  const sorted = Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
  return new Extension(ATTRIBUTE_OID, false, new TextEncoder().encode(JSON.stringify({ attrs: sorted })));
}

/**
 * The attributes of a certificate; none gives an empty record.
 * @throws NetworkError CERTIFICATE_INVALID when the extension is there but is not what Fabric CA writes.
 */
export function certificateAttributes(certificate: X509Certificate): Record<string, string> {
  const extension = certificate.getExtension(ATTRIBUTE_OID);
  if (!extension) return {};
  try {
    return attributesSchema.parse(JSON.parse(new TextDecoder().decode(extension.value))).attrs;
  } catch (cause) {
    throw new NetworkError(
      'CERTIFICATE_INVALID',
      `The certificate of ${certificate.subject} carries attributes that cannot be read.`,
      { cause },
    );
  }
}

/**
 * The attributes of a certificate in PEM.
 * @throws NetworkError CERTIFICATE_INVALID
 */
export function attributesOfPem(pem: string): Record<string, string> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new NetworkError('CERTIFICATE_INVALID', 'This is not a certificate in PEM.', { cause });
  }
  return certificateAttributes(certificate);
}

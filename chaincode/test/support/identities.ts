/** Certificates with role attributes, as Fabric CA writes them; self-signed, since contracts do not check chains. */
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import 'reflect-metadata';
import { cryptoProvider, Extension, X509CertificateGenerator } from '@peculiar/x509';

cryptoProvider.set(webcrypto as never);

export interface Identity {
  mspId: string;
  /** PEM. */
  certificate: string;
}

/** An identity with a fresh key; the same names make a renewed certificate. */
export async function identity(mspId: string, name: string, role?: string): Promise<Identity> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const attributes = new TextEncoder().encode(
    JSON.stringify({ attrs: role ? { 'strokeshare.role': role } : {} }),
  );
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}, OU=client`,
    keys,
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2036-01-01'),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new Extension('1.2.3.4.5.6.7.8.1', false, attributes)],
  });
  return { mspId, certificate: certificate.toString('pem') };
}

/** A P-256 key pair for detached signatures. */
export function signingKeys() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) as string };
}

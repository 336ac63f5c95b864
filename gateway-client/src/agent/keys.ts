import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { generateSealingKeyPair, type SealingKeyPair } from '@strokeshare/fhe';
import { z } from 'zod';
import type { Vault } from './vault.js';

/** Keys of an institution, or of a researcher who has no signing key of their own. */
export interface InstitutionKeys {
  /** ECDSA P-256: agreements and verdicts. */
  signing: { privateKey: KeyObject; publicKeyPem: string };
  /** X-Wing: shares from other holders. */
  sealing: SealingKeyPair;
}

const storedSealingKey = z.strictObject({ publicKey: z.base64(), privateKey: z.base64() });
const SIGNING = 'signing-key';
const SEALING = 'sealing-key';

/** Opens the institution's keys, making them where there are none. */
export async function openKeys(vault: Vault): Promise<InstitutionKeys> {
  return { signing: await openSigningKey(vault), sealing: await openSealingKey(vault) };
}

async function openSigningKey(vault: Vault): Promise<InstitutionKeys['signing']> {
  let der = await vault.read(SIGNING);
  if (!der) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    der = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
    await vault.write(SIGNING, der);
  }
  const privateKey = createPrivateKey({ key: Buffer.from(der), type: 'pkcs8', format: 'der' });
  const publicKeyPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  return { privateKey, publicKeyPem };
}

/** Opens the sealing key of an institution or a researcher, making it where there is none. */
export async function openSealingKey(vault: Vault): Promise<SealingKeyPair> {
  const stored = await vault.readJson(SEALING);
  if (stored !== undefined) {
    const { publicKey, privateKey } = storedSealingKey.parse(stored);
    return { publicKey: fromBase64(publicKey), privateKey: fromBase64(privateKey) };
  }
  const fresh = await generateSealingKeyPair();
  await vault.writeJson(SEALING, {
    publicKey: toBase64(fresh.publicKey),
    privateKey: toBase64(fresh.privateKey),
  });
  return fresh;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/**
 * Sealing a message to one receiver: HPKE (RFC 9180) in base mode with the hybrid KEM X-Wing (X25519 and ML-KEM-768,
 * draft-connolly-cfrg-xwing-kem), HKDF-SHA256 and AES-256-GCM, one message for each encapsulation.
 *
 * A sealed message is a version byte (1), the encapsulated key (1120 bytes) and the ciphertext with its tag.
 */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { FheError } from '../errors.js';

const version = 1;
const encapsulatedLength = 1120;
const tagLength = 16;
/** Length of a sealing public key, bytes. */
export const sealingPublicKeyLength = 1216;
const privateKeyLength = 32;
/** Bytes that sealing adds to a message. */
export const sealingOverhead = 1 + encapsulatedLength + tagLength;

const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

export interface SealingKeyPair {
  /** 1216 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes, the seed of both key pairs. Secret. */
  readonly privateKey: Uint8Array;
}

/** A copy; a Buffer's own `slice` would be a view of its pool. */
function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

export async function generateSealingKeyPair(): Promise<SealingKeyPair> {
  const pair = await suite.kem.generateKeyPair();
  return {
    publicKey: new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey)),
    privateKey: new Uint8Array(await suite.kem.serializePrivateKey(pair.privateKey)),
  };
}

/**
 * Seals a message to a public key.
 *
 * @param info what the message is and for whom: the receiver must state the same
 * @throws FheError SEALING_KEY_INVALID
 */
export async function sealTo(
  publicKey: Uint8Array,
  plaintext: Uint8Array,
  info: Uint8Array,
): Promise<Uint8Array> {
  if (publicKey.length !== sealingPublicKeyLength) {
    throw new FheError('SEALING_KEY_INVALID', `A sealing public key has ${sealingPublicKeyLength} bytes.`);
  }
  const copy = new Uint8Array(plaintext);
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(publicKey));
    const { enc, ct } = await suite.seal({ recipientPublicKey, info: buffer(info) }, copy.buffer);
    const sealed = new Uint8Array(1 + enc.byteLength + ct.byteLength);
    sealed[0] = version;
    sealed.set(new Uint8Array(enc), 1);
    sealed.set(new Uint8Array(ct), 1 + enc.byteLength);
    return sealed;
  } catch (cause) {
    throw new FheError('SEALING_KEY_INVALID', 'The message could not be sealed to this public key.', {
      cause,
    });
  }
}

/**
 * Opens a sealed message.
 *
 * @throws FheError SEALED_MESSAGE_INVALID if it was sealed to another key or for another purpose, or was changed
 */
export async function openSealed(
  keys: Pick<SealingKeyPair, 'privateKey'>,
  sealed: Uint8Array,
  info: Uint8Array,
): Promise<Uint8Array> {
  if (keys.privateKey.length !== privateKeyLength) {
    throw new FheError('SEALING_KEY_INVALID', `A sealing private key has ${privateKeyLength} bytes.`);
  }
  if (sealed.length < sealingOverhead || sealed[0] !== version) {
    throw new FheError('SEALED_MESSAGE_INVALID', 'This is no sealed message of a known version.');
  }
  try {
    const recipientKey = await suite.kem.deserializePrivateKey(buffer(keys.privateKey));
    const enc = buffer(sealed.subarray(1, 1 + encapsulatedLength));
    const body = buffer(sealed.subarray(1 + encapsulatedLength));
    return new Uint8Array(await suite.open({ recipientKey, enc, info: buffer(info) }, body));
  } catch (cause) {
    throw new FheError(
      'SEALED_MESSAGE_INVALID',
      'The sealed message does not open with this key and purpose.',
      {
        cause,
      },
    );
  }
}

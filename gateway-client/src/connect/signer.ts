import { sign as signWith, X509Certificate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { hash, signers, type ConnectOptions } from '@hyperledger/fabric-gateway';
import { p256 } from '@noble/curves/nist.js';
import { ClientError } from '../errors.js';

/**
 * Signs a SHA-256 digest with the key of the connection's certificate, wherever that key is: a hardware token, a
 * signing service, a machine without a network to which the digest is carried.
 *
 * @param digest - 32 bytes. Sign them as they are: they must not be hashed once more.
 * @returns the ECDSA signature, DER or the 64 bytes r and s that tokens give.
 */
export type DigestSigner = (digest: Uint8Array) => Promise<Uint8Array>;

/**
 * What the gateway signs with, from a signer elsewhere: the signature is brought into the one form that Fabric takes
 * (DER, low S) and verified, so that a wrong key is named here and not by a peer.
 *
 * @param certificate - PEM, whose key has to be on P-256.
 * @throws ClientError `PROFILE_INVALID`; when it signs, `SIGNING_FAILED`.
 */
export function externalSigner(sign: DigestSigner, certificate: Uint8Array): DigestSigner {
  const publicKey = publicPointOf(certificate);
  return async (digest) => {
    let signature: ReturnType<typeof normalized>;
    try {
      signature = normalized(await sign(digest));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ClientError('SIGNING_FAILED', `The external key did not sign: ${reason}`, { cause });
    }
    if (!p256.verify(signature.toBytes('compact'), digest, publicKey, { prehash: false })) {
      throw new ClientError(
        'SIGNING_FAILED',
        "The external key's signature does not verify under the certificate: it is another key, or the digest was hashed again.",
      );
    }
    return signature.toBytes('der');
  };
}

/** What a connection signs with, and how it hashes before. */
export type MessageSigner = Required<Pick<ConnectOptions, 'signer' | 'hash'>>;

/**
 * Signs with a key of this process. On P-256 OpenSSL hashes and signs, thirty times as fast as the gateway's own signer
 * in JavaScript; keys on other curves are left to that.
 */
export function keySigner(privateKey: KeyObject): MessageSigner {
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    return { signer: signers.newPrivateKeySigner(privateKey), hash: hash.sha256 };
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const sign = promisify<string, Uint8Array, typeof key, Buffer>(signWith);
  return {
    signer: async (message) => normalized(await sign('sha256', message, key)).toBytes('der'),
    hash: hash.none,
  };
}

const COMPACT_BYTES = 64;

function normalized(bytes: Uint8Array): InstanceType<typeof p256.Signature> {
  // Copied: a Buffer of a pool is not what the library takes for bytes of its own.
  const own = Uint8Array.from(bytes);
  const signature = p256.Signature.fromBytes(own, own.length === COMPACT_BYTES ? 'compact' : 'der');
  return signature.hasHighS()
    ? new p256.Signature(signature.r, p256.Point.CURVE().n - signature.s)
    : signature;
}

function publicPointOf(certificate: Uint8Array): Uint8Array {
  const { x, y, crv } = new X509Certificate(certificate).publicKey.export({ format: 'jwk' });
  if (crv !== 'P-256' || x === undefined || y === undefined) {
    throw new ClientError('PROFILE_INVALID', 'An external signer needs a certificate on the curve P-256.');
  }
  return Uint8Array.from([4, ...Buffer.from(x, 'base64url'), ...Buffer.from(y, 'base64url')]);
}

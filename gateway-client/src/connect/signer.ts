import { X509Certificate } from 'node:crypto';
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

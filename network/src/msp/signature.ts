import { createSign, type KeyObject, verify } from 'node:crypto';

/**
 * ECDSA with SHA-256 as Fabric uses it: DER signatures whose S is at most half the group order. A signature with a
 * high S is refused, because anyone can make it from a good one.
 */

const orders: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1:
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

const known = new WeakMap<KeyObject, bigint | undefined>();

/** Order of the key's curve; undefined for a key that Fabric's default provider does not take. */
export function curveOrder(key: KeyObject): bigint | undefined {
  if (!known.has(key))
    known.set(
      key,
      key.asymmetricKeyType === 'ec' ? orders[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined,
    );
  return known.get(key);
}

function readInteger(der: Uint8Array, at: number): { value: bigint; end: number } | undefined {
  const length = der[at + 1];
  if (der[at] !== 0x02 || length === undefined || length === 0 || length > 0x7f) return undefined;
  const bytes = der.subarray(at + 2, at + 2 + length);
  if (bytes.length !== length || (bytes[0] ?? 0) & 0x80) return undefined;
  return { value: BigInt(`0x${Buffer.from(bytes).toString('hex')}`), end: at + 2 + length };
}

/** The two integers of a DER signature; undefined if it is anything else. */
export function parseSignature(der: Uint8Array): { r: bigint; s: bigint } | undefined {
  let at = 1;
  let length = der[at++];
  if (der[0] !== 0x30 || length === undefined) return undefined;
  if (length === 0x81) length = der[at++] ?? 0;
  else if (length > 0x7f) return undefined;
  if (at + length !== der.length) return undefined;
  const r = readInteger(der, at);
  const s = r && readInteger(der, r.end);
  if (!s || s.end !== der.length || r.value === 0n || s.value === 0n) return undefined;
  return { r: r.value, s: s.value };
}

function derInteger(value: bigint): Buffer {
  let hex = value.toString(16);
  if (hex.length % 2) hex = `0${hex}`;
  if (parseInt(hex.slice(0, 2), 16) & 0x80) hex = `00${hex}`;
  const bytes = Buffer.from(hex, 'hex');
  return Buffer.concat([Buffer.from([0x02, bytes.length]), bytes]);
}

/** DER of a signature. */
export function encodeSignature(r: bigint, s: bigint): Buffer {
  const content = Buffer.concat([derInteger(r), derInteger(s)]);
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([0x30, ...length]), content]);
}

/** True if the signature over the message is valid and its S is low. */
export function verifySignature(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  const order = curveOrder(key);
  const parsed = parseSignature(signature);
  if (order === undefined || !parsed || parsed.s > order / 2n) return false;
  return verify('sha256', message, key, signature);
}

/** Signs the parts of a message, in a row, with SHA-256 and lowers S. */
export function signMessage(key: KeyObject, ...parts: readonly Uint8Array[]): Buffer {
  const signer = createSign('sha256');
  for (const part of parts) signer.update(part);
  const signature = signer.sign(key);
  const order = curveOrder(key);
  const parsed = parseSignature(signature);
  if (order === undefined || !parsed)
    throw new Error('The private key is not an ECDSA key on P-256 or P-384.');
  return parsed.s > order / 2n ? encodeSignature(parsed.r, order - parsed.s) : signature;
}

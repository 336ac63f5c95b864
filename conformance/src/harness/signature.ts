import { createHash, type KeyObject } from 'node:crypto';
import { fromBER, Integer, Sequence } from 'asn1js';
import { signers } from '@hyperledger/fabric-gateway';

/** Order of P-256 (SP 800-186). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** SHA-256. */
export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** ECDSA over SHA-256, DER, low S: what Fabric accepts. */
export async function sign(key: KeyObject, message: Uint8Array): Promise<Uint8Array> {
  return signers.newPrivateKeySigner(key)(sha256(message));
}

/** The other signature that is as valid for the curve, with S in the upper half: what Fabric refuses. */
export function withHighS(signature: Uint8Array): Uint8Array {
  const { result } = fromBER(Uint8Array.from(signature));
  const [r, s] = result instanceof Sequence ? result.valueBlock.value : [];
  if (!(r instanceof Integer && s instanceof Integer)) throw new Error('not a DER signature');
  const value = s.toBigInt();
  const raised = value > order / 2n ? value : order - value;
  const der = new Sequence({ value: [Integer.fromBigInt(r.toBigInt()), Integer.fromBigInt(raised)] });
  return new Uint8Array(der.toBER());
}

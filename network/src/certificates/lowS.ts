import { fromBER, Integer, Sequence } from 'asn1js';

/** Order of the group of P-256 (SP 800-186). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Whether an ECDSA P-256 signature (DER) has its s in the lower half, the only form that Fabric accepts. */
export function hasLowS(signature: Uint8Array): boolean {
  const { result } = fromBER(signature);
  const s = result instanceof Sequence ? result.valueBlock.value[1] : undefined;
  return s instanceof Integer && s.toBigInt() > 0n && s.toBigInt() <= ORDER >> 1n;
}

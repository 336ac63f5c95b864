/** Disposable, typed owners of node-seal's ciphertexts, plaintexts and keys. */
import type {
  Ciphertext as RawCiphertext,
  Plaintext as RawPlaintext,
  PublicKey as RawPublicKey,
  RelinKeys as RawRelinKeys,
} from 'node-seal/throws' with { 'resolution-mode': 'import' };
import { callSeal, SealHandle } from './instance.js';

export class SealCiphertext extends SealHandle<RawCiphertext> {
  /** Number of polynomials, 2 or 3. */
  get size(): number {
    return this.raw.size();
  }

  /** Data primes that are left. */
  get primes(): number {
    return this.raw.coeffModulusSize();
  }

  get scale(): number {
    return this.raw.scale();
  }

  /** States the scale anew, for operands whose scales differ by rounding alone. */
  set scale(value: number) {
    callSeal('set a scale', () => {
      this.raw.setScale(value);
    });
  }

  /** SEAL's bytes without compression: the body of a ciphertext blob. */
  save(): Uint8Array {
    return this.instance.save(this.raw);
  }

  clone(): SealCiphertext {
    return new SealCiphertext(
      this.instance,
      callSeal('copy a ciphertext', () => this.raw.copy()),
    );
  }
}

export class SealPlaintext extends SealHandle<RawPlaintext> {
  get scale(): number {
    return this.raw.scale();
  }

  save(): Uint8Array {
    return this.instance.save(this.raw);
  }
}

export class SealPublicKey extends SealHandle<RawPublicKey> {
  save(): Uint8Array {
    return this.instance.save(this.raw);
  }
}

export class SealRelinKeys extends SealHandle<RawRelinKeys> {
  save(): Uint8Array {
    return this.instance.save(this.raw);
  }
}

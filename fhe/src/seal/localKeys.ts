/**
 * Keys of one party alone and their decryption: for tests, benches and diagnosis. A collective key has no
 * counterpart to this, since nobody holds its secret.
 */
import type { Decryptor as RawDecryptor } from 'node-seal/throws' with { 'resolution-mode': 'import' };
import { buildSecretKey } from '../bytes/seal.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { callSeal, SealInstance } from './instance.js';

export interface LocalKeys {
  /** SEAL's bytes: bodies of publicKey and relinKeys blobs, and of a secret key. */
  readonly publicKey: Uint8Array;
  readonly relinKeys: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** Generates the key set of a single party in an instance of its own. */
export async function generateLocalKeys(set: ParameterSet): Promise<LocalKeys> {
  const instance = await SealInstance.start(set);
  return callSeal('generate keys', () => {
    const generator = new instance.module.KeyGenerator(instance.context);
    const objects = [
      generator.createPublicKey(),
      generator.createRelinKeys(),
      generator.secretKey(),
    ] as const;
    try {
      return {
        publicKey: instance.save(objects[0]),
        relinKeys: instance.save(objects[1]),
        secretKey: instance.save(objects[2]),
      };
    } finally {
      for (const object of [...objects, generator]) object.delete();
    }
  });
}

/** Decrypts with a whole secret key, in an instance of its own. */
export class LocalDecryptor implements Disposable {
  private constructor(
    private readonly instance: SealInstance,
    private readonly raw: RawDecryptor,
  ) {}

  /** @param secret SEAL's bytes of a secret key, or its words over all primes in NTT form */
  static async create(set: ParameterSet, secret: Uint8Array | BigUint64Array): Promise<LocalDecryptor> {
    const instance = await SealInstance.start(set);
    const bytes = secret instanceof Uint8Array ? secret : buildSecretKey(set, secret);
    const raw = callSeal('load a secret key', () => {
      const key = new instance.module.SecretKey();
      key.loadFromArray(instance.context, bytes);
      const decryptor = new instance.module.Decryptor(instance.context, key);
      key.delete();
      return decryptor;
    });
    return new LocalDecryptor(instance, raw);
  }

  /** The real parts of the slots of a ciphertext's body. */
  decrypt(body: Uint8Array): Float64Array {
    const { module, context } = this.instance;
    return callSeal('decrypt', () => {
      const ciphertext = new module.Ciphertext();
      const plaintext = new module.Plaintext();
      const encoder = new module.CKKSEncoder(context);
      try {
        ciphertext.loadFromArray(context, new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
        this.raw.decrypt(ciphertext, plaintext);
        const values: unknown = encoder.decodeFloat64(plaintext);
        if (!(values instanceof Float64Array)) throw new FheError('SEAL_FAILED', 'SEAL returned no values.');
        return values;
      } finally {
        for (const object of [ciphertext, plaintext, encoder]) object.delete();
      }
    });
  }

  [Symbol.dispose](): void {
    this.raw.delete();
  }
}

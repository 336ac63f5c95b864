/**
 * SEAL on public data: encoding, encryption under a public key, evaluation. One context for each parameter set and
 * thread, made at first use. Bytes are parsed by our own parser before SEAL sees them. No secret enters here.
 */
import type {
  CKKSEncoder as RawEncoder,
  Encryptor as RawEncryptor,
  Evaluator as RawEvaluator,
} from 'node-seal/throws' with { 'resolution-mode': 'import' };
import { parmsId, parseCiphertext, parsePlaintext, parsePublicKey, parseRelinKeys } from '../bytes/seal.js';
import { toHex } from '../bytes/canonical.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { callSeal, SealHandle, SealInstance } from './instance.js';
import { SealCiphertext, SealPlaintext, SealPublicKey, SealRelinKeys } from './objects.js';

const contexts = new Map<string, Promise<SealContext>>();

export class SealContext {
  private readonly encoder: RawEncoder;
  readonly evaluator: SealEvaluator;

  private constructor(private readonly instance: SealInstance) {
    this.encoder = callSeal('make an encoder', () => new instance.module.CKKSEncoder(instance.context));
    this.evaluator = new SealEvaluator(
      instance,
      callSeal('make an evaluator', () => new instance.module.Evaluator(instance.context)),
    );
  }

  /** The context of this thread for a parameter set. */
  static for(set: ParameterSet): Promise<SealContext> {
    let context = contexts.get(set.id);
    if (!context) {
      context = SealInstance.start(set).then((instance) => new SealContext(instance));
      contexts.set(set.id, context);
      context.catch(() => contexts.delete(set.id));
    }
    return context;
  }

  get set(): ParameterSet {
    return this.instance.set;
  }

  /** Objects that nobody has disposed of yet. */
  get liveHandles(): number {
    return this.instance.liveHandles;
  }

  /**
   * Encodes real values into the slots (missing ones are 0), at the level of `primes` data primes.
   *
   * @param values at most `set.slots` values
   * @param scale the parameter set's scale unless given
   * @param primes all data primes unless given
   * @throws FheError SEAL_FAILED for values too large for the scale
   */
  encode(values: Float64Array, scale = 2 ** this.set.scaleBits, primes = this.set.dataPrimes): SealPlaintext {
    const plaintext = new SealPlaintext(this.instance, new this.instance.module.Plaintext());
    try {
      callSeal('encode values', () => {
        this.encoder.encode(values, scale, plaintext.raw);
      });
      this.evaluator.switchPlaintext(plaintext, primes);
      return plaintext;
    } catch (error) {
      plaintext[Symbol.dispose]();
      throw error;
    }
  }

  /** The real parts of a plaintext's slots. */
  decode(plaintext: SealPlaintext): Float64Array {
    const values: unknown = callSeal('decode values', () => this.encoder.decodeFloat64(plaintext.raw));
    if (!(values instanceof Float64Array)) throw new FheError('SEAL_FAILED', 'SEAL returned no values.');
    return values;
  }

  /** @throws FheError PLAINTEXT_MALFORMED */
  loadPlaintext(body: Uint8Array): SealPlaintext {
    parsePlaintext(body, this.set);
    return this.load(new SealPlaintext(this.instance, new this.instance.module.Plaintext()), body);
  }

  /** @throws FheError CIPHERTEXT_MALFORMED */
  loadCiphertext(body: Uint8Array): SealCiphertext {
    parseCiphertext(body, this.set);
    return this.load(new SealCiphertext(this.instance, new this.instance.module.Ciphertext()), body);
  }

  /** @throws FheError PUBLIC_KEY_MALFORMED */
  loadPublicKey(body: Uint8Array): SealPublicKey {
    parsePublicKey(body, this.set);
    return this.load(new SealPublicKey(this.instance, new this.instance.module.PublicKey()), body);
  }

  /** @throws FheError RELIN_KEYS_MALFORMED */
  loadRelinKeys(body: Uint8Array): SealRelinKeys {
    parseRelinKeys(body, this.set);
    return this.load(new SealRelinKeys(this.instance, new this.instance.module.RelinKeys()), body);
  }

  encryptor(key: SealPublicKey): SealEncryptor {
    const { module, context } = this.instance;
    return new SealEncryptor(
      this.instance,
      callSeal('make an encryptor', () => new module.Encryptor(context, key.raw)),
    );
  }

  private load<T extends SealPlaintext | SealCiphertext | SealPublicKey | SealRelinKeys>(
    handle: T,
    body: Uint8Array,
  ): T {
    try {
      // node-seal takes a Uint8Array but no Buffer.
      const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
      callSeal('load bytes', () => {
        handle.raw.loadFromArray(this.instance.context, bytes);
      });
      return handle;
    } catch (error) {
      handle[Symbol.dispose]();
      throw error;
    }
  }
}

export class SealEncryptor extends SealHandle<RawEncryptor> {
  /** A fresh encryption at the plaintext's level. Random: never in a contract. */
  encrypt(plaintext: SealPlaintext): SealCiphertext {
    const ciphertext = new SealCiphertext(this.instance, new this.instance.module.Ciphertext());
    try {
      callSeal('encrypt', () => {
        this.raw.encrypt(plaintext.raw, ciphertext.raw);
      });
      return ciphertext;
    } catch (error) {
      ciphertext[Symbol.dispose]();
      throw error;
    }
  }
}

/** Deterministic arithmetic; each method returns a new ciphertext, the ones named `...InPlace` change their first. */
export class SealEvaluator {
  constructor(
    private readonly instance: SealInstance,
    private readonly raw: RawEvaluator,
  ) {}

  add(a: SealCiphertext, b: SealCiphertext): SealCiphertext {
    return this.fresh('add', (out) => {
      this.raw.add(a.raw, b.raw, out);
    });
  }

  addInPlace(a: SealCiphertext, b: SealCiphertext): void {
    callSeal('add', () => {
      this.raw.addInplace(a.raw, b.raw);
    });
  }

  multiply(a: SealCiphertext, b: SealCiphertext): SealCiphertext {
    return this.fresh('multiply', (out) => {
      this.raw.multiply(a.raw, b.raw, out);
    });
  }

  square(a: SealCiphertext): SealCiphertext {
    return this.fresh('square', (out) => {
      this.raw.square(a.raw, out);
    });
  }

  multiplyPlain(a: SealCiphertext, b: SealPlaintext): SealCiphertext {
    return this.fresh('multiply by a plaintext', (out) => {
      this.raw.multiplyPlain(a.raw, b.raw, out);
    });
  }

  relinearizeInPlace(a: SealCiphertext, keys: SealRelinKeys): void {
    callSeal('relinearize', () => {
      this.raw.relinearizeInplace(a.raw, keys.raw);
    });
  }

  rescaleInPlace(a: SealCiphertext): void {
    callSeal('rescale', () => {
      this.raw.rescaleToNextInplace(a.raw);
    });
  }

  /** Drops primes until `primes` are left. */
  modSwitchInPlace(a: SealCiphertext, primes: number): void {
    if (a.primes === primes) return;
    this.atLevel(primes, (id) => {
      this.raw.cipherModSwitchToInplace(a.raw, id);
    });
  }

  /** Drops a plaintext's primes until `primes` are left. */
  switchPlaintext(a: SealPlaintext, primes: number): void {
    if (primes === this.instance.set.dataPrimes) return;
    this.atLevel(primes, (id) => {
      this.raw.plainModSwitchToInplace(a.raw, id);
    });
  }

  private atLevel(primes: number, work: (id: ReturnType<SealCiphertext['raw']['parmsId']>) => void): void {
    const { set, context } = this.instance;
    if (!Number.isInteger(primes) || primes < 1 || primes > set.dataPrimes) {
      throw new FheError('ARGUMENT_INVALID', `A level of '${set.name}' has 1 to ${set.dataPrimes} primes.`);
    }
    const wanted = toHex(parmsId(set, primes));
    callSeal('switch to another level', () => {
      let data = context.firstContextData();
      try {
        for (let left = set.dataPrimes; left > primes; left--) {
          const next = data.nextContextData();
          data.delete();
          data = next;
        }
        const id = data.parmsId();
        try {
          const words: unknown = id.values();
          if (!(words instanceof BigUint64Array) || toHex(new Uint8Array(words.buffer)) !== wanted) {
            throw new FheError('SEAL_FAILED', 'SEAL numbers its levels differently.');
          }
          work(id);
        } finally {
          id.delete();
        }
      } finally {
        data.delete();
      }
    });
  }

  private fresh(what: string, work: (out: SealCiphertext['raw']) => void): SealCiphertext {
    const out = new SealCiphertext(this.instance, new this.instance.module.Ciphertext());
    try {
      callSeal(what, () => {
        work(out.raw);
      });
      return out;
    } catch (error) {
      out[Symbol.dispose]();
      throw error;
    }
  }
}

/**
 * One node-seal WebAssembly instance with the context of one parameter set, and the rules for its handles: every
 * call is wrapped, so that a C++ exception becomes an FheError, and every handle has one disposable owner.
 *
 * Instances that hold a secret are separate from those that load bytes from elsewhere (see sampler.ts).
 */
import type {
  ClassHandle,
  ComprModeType,
  MainModule,
  SEALContext as RawContext,
} from 'node-seal/throws' with { 'resolution-mode': 'import' };
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';

/** A C++ exception arrives as a WebAssembly.Exception whose message is [type, text]. */
function reasonOf(cause: unknown): string {
  if (cause === null || typeof cause !== 'object' || !('message' in cause)) return String(cause);
  const { message } = cause;
  return Array.isArray(message) ? String(message[1] ?? message[0]) : String(message);
}

/**
 * Runs calls into node-seal.
 *
 * @throws FheError SEAL_FAILED with SEAL's own words
 */
export function callSeal<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof FheError) throw cause;
    throw new FheError('SEAL_FAILED', `SEAL could not ${what}: ${reasonOf(cause)}.`, { cause });
  }
}

interface Saveable extends ClassHandle {
  saveToArray(mode: ComprModeType): unknown;
}

export class SealInstance {
  /** Handles not yet disposed; a leak shows here. */
  liveHandles = 0;

  private constructor(
    readonly set: ParameterSet,
    readonly module: MainModule,
    readonly context: RawContext,
  ) {}

  /**
   * Starts an instance and builds the context; about a second for N = 16384.
   *
   * @throws FheError RUNTIME_UNSUPPORTED where node-seal does not load, PARAMETER_SET_INVALID where SEAL disagrees
   */
  static async start(set: ParameterSet): Promise<SealInstance> {
    const module = await loadModule();
    const context = callSeal('build a context', () => buildContext(module, set));
    return new SealInstance(set, module, context);
  }

  /** The object's bytes without compression: a copy outside the WebAssembly heap. */
  save(object: Saveable): Uint8Array {
    const bytes = callSeal('save an object', () => object.saveToArray(this.module.ComprModeType.none));
    if (!(bytes instanceof Uint8Array)) throw new FheError('SEAL_FAILED', 'SEAL returned no bytes.');
    return bytes;
  }
}

async function loadModule(): Promise<MainModule> {
  try {
    const { initialize } = await import('node-seal/throws');
    return await initialize();
  } catch (cause) {
    throw new FheError(
      'RUNTIME_UNSUPPORTED',
      `node-seal does not load on Node ${process.version}; it needs 22.19 or later, or 24.15 or later.`,
      { cause },
    );
  }
}

function buildContext(module: MainModule, set: ParameterSet): RawContext {
  const parms = new module.EncryptionParameters(module.SchemeType.ckks as never);
  const bits = Int32Array.from(set.primes, (prime) => prime.toString(2).length);
  const modulus = module.CoeffModulus.Create(set.polyModulusDegree, bits);
  try {
    for (const [i, prime] of set.primes.entries()) {
      const made = modulus.get(i);
      const same = made?.value() === prime;
      made?.delete();
      if (!same)
        throw new FheError('PARAMETER_SET_INVALID', `SEAL's primes differ from those of '${set.name}'.`);
    }
    parms.setPolyModulusDegree(set.polyModulusDegree);
    parms.setCoeffModulus(modulus);
    const level = set.isTestOnly ? module.SecLevelType.none : module.SecLevelType.tc128;
    const context = new module.SEALContext(parms, true, level as never);
    if (!context.parametersSet()) {
      throw new FheError('PARAMETER_SET_INVALID', `SEAL refuses the parameters of '${set.name}'.`);
    }
    return context;
  } finally {
    modulus.delete();
    parms.delete();
  }
}

/** Sole owner of one node-seal object; after disposal every use is a typed error. */
export abstract class SealHandle<T extends ClassHandle> implements Disposable {
  private handle: T | undefined;

  constructor(
    readonly instance: SealInstance,
    handle: T,
  ) {
    this.handle = handle;
    instance.liveHandles++;
  }

  /** The node-seal object, for the wrappers in this folder. */
  get raw(): T {
    if (!this.handle) throw new FheError('DISPOSED', 'This object has been disposed of.');
    return this.handle;
  }

  [Symbol.dispose](): void {
    if (!this.handle) return;
    this.handle.delete();
    this.handle = undefined;
    this.instance.liveHandles--;
  }
}

/**
 * Encryption, evaluation and addition of partials on blobs, in the thread that it runs in. Every object of SEAL's
 * heap has an owner here and is disposed of with its batch or evaluation.
 */
import { decodeBlob, encodeBlob } from '../bytes/blob.js';
import { buildCiphertext, type CiphertextForm, parseCiphertext, requireOpaque } from '../bytes/seal.js';
import { type PackedColumn } from '../columns/layout.js';
import { FheError } from '../errors.js';
import { type Work } from '../evaluate/work.js';
import { type ParameterSet } from '../params/index.js';
import { type SealCiphertext, SealContext, type SealEncryptor, type SealRelinKeys } from '../seal/index.js';
import { Accumulator } from './accumulator.js';
import { Evaluation } from './evaluation.js';
import { EpochKeys } from './epochKeys.js';
import { CiphertextKernel } from './kernel.js';
import { encodePair } from './pair.js';

const KEPT_KERNEL_BYTES = 2 ** 28;
/** Name of the one sum of partial results. */
const SUM = 'sum';

/** Throws when the task has been cancelled; asked between operations. */
export type Checkpoint = () => void;

export class CipherEngine implements Disposable {
  readonly #context: SealContext;
  #kernel = new CiphertextKernel();
  readonly #encryptors = new EpochKeys<SealEncryptor>('public key');
  readonly #relinKeys = new EpochKeys<SealRelinKeys>('relinearisation key');
  readonly #evaluations = new Map<number, { epochId: string; running: Evaluation }>();

  private constructor(context: SealContext) {
    this.#context = context;
  }

  static async create(set: ParameterSet): Promise<CipherEngine> {
    return new CipherEngine(await SealContext.for(set));
  }

  get #set(): ParameterSet {
    return this.#context.set;
  }

  /** Memory of the kernel, beside SEAL's own. */
  get kernelBytes(): number {
    return this.#kernel.bytes;
  }

  loadPublicKey(epochId: string, blob: Uint8Array): void {
    using key = this.#context.loadPublicKey(this.#body(blob, 'publicKey', epochId));
    this.#encryptors.put(epochId, this.#context.encryptor(key));
  }

  loadRelinKeys(epochId: string, blob: Uint8Array): void {
    this.#relinKeys.put(epochId, this.#context.loadRelinKeys(this.#body(blob, 'relinKeys', epochId)));
  }

  /**
   * Encrypts a column, or two in one ciphertext.
   * @param primes the level, all data primes unless given
   * @throws FheError ARGUMENT_INVALID unless a column has `slots` values in [-1, 1].
   */
  encrypt(epochId: string, parts: PackedColumn['parts'], primes = this.#set.dataPrimes): Uint8Array {
    const encryptor = this.#encryptors.get(epochId);
    for (const column of parts)
      if (column.length !== this.#set.slots || !column.every((value) => value >= -1 && value <= 1))
        throw new FheError('ARGUMENT_INVALID', `A column has ${this.#set.slots} values from -1 to 1.`);
    const [real, imaginary] = parts;
    using plaintext = imaginary
      ? encodePair(this.#context, this.#kernel, [real, imaginary], primes)
      : this.#context.encode(real, 2 ** this.#set.scaleBits, primes);
    using ciphertext = encryptor.encrypt(plaintext);
    return this.#blob(epochId, ciphertext);
  }

  /** @param evaluation a number that tells this evaluation from others under way */
  begin(epochId: string, work: Work, evaluation = 0): void {
    this.reset(evaluation);
    const products = work.products.length > 0 || work.cells.some((cell) => cell.operands.length === 2);
    const keys = products ? this.#relinKeys.get(epochId) : undefined;
    this.#evaluations.set(evaluation, {
      epochId,
      running: new Evaluation(this.#context, this.#kernel, work, keys),
    });
  }

  /** Adds the cells' products over one batch. */
  addBatch(columns: ReadonlyMap<string, Uint8Array>, checkpoint: Checkpoint, evaluation = 0): void {
    const { epochId, running } = this.#current(evaluation);
    running.addBatch((name) => {
      const blob = columns.get(name);
      if (!blob) throw new FheError('ARGUMENT_INVALID', `The batch lacks the column ${name}.`);
      return this.#body(blob, 'ciphertext', epochId);
    }, checkpoint);
  }

  /** The sums of the named cells before relinearisation: words, for `absorb` in another thread. */
  drain(cells: readonly string[], evaluation = 0): Uint8Array[] {
    return this.#current(evaluation).running.drain(cells);
  }

  /** Adds what another thread drained from the same work. */
  absorb(sums: readonly (readonly [string, Uint8Array])[], evaluation = 0): void {
    this.#current(evaluation).running.absorb(sums);
  }

  /** The sums of the named cells before relinearisation, as blobs; the evaluation has ended. */
  suspend(cells: readonly string[], evaluation = 0): Uint8Array[] {
    const { epochId, running } = this.#current(evaluation);
    const blobs = running.suspend(cells).map((body) => this.#encode(epochId, body));
    this.reset(evaluation);
    return blobs;
  }

  /** Goes on from what {@link suspend} gave of the same cells. */
  resume(sums: readonly (readonly [string, Uint8Array])[], evaluation = 0): void {
    const { epochId, running } = this.#current(evaluation);
    running.resume(sums.map(([cell, blob]) => [cell, this.#body(blob, 'ciphertext', epochId)]));
  }

  /** The partial results of the named cells; the evaluation has ended. */
  finish(cells: readonly string[], checkpoint: Checkpoint, evaluation = 0): Uint8Array[] {
    const { epochId, running } = this.#current(evaluation);
    const blobs = running.finish(cells, checkpoint).map((body) => this.#encode(epochId, body));
    this.reset(evaluation);
    return blobs;
  }

  reset(evaluation = 0): void {
    this.#evaluations.get(evaluation)?.running[Symbol.dispose]();
    this.#evaluations.delete(evaluation);
    // A kernel's memory does not shrink: after a large evaluation another one takes its place.
    if (this.#evaluations.size === 0 && this.#kernel.bytes > KEPT_KERNEL_BYTES)
      this.#kernel = new CiphertextKernel();
  }

  /** Adds partial results of size 2; the words are those of SEAL's addition. */
  add(epochId: string, blobs: readonly Uint8Array[], checkpoint: Checkpoint): Uint8Array {
    using sums = new Accumulator(this.#set, this.#kernel);
    let form: CiphertextForm | undefined;
    for (const blob of blobs) {
      checkpoint();
      const term = parseCiphertext(this.#body(blob, 'ciphertext', epochId), this.#set);
      if (term.size !== 2)
        throw new FheError('CIPHERTEXT_MALFORMED', 'A column or partial result has two polynomials.');
      form ??= { size: term.size, primes: term.primes, scale: term.scale };
      if (term.primes !== form.primes || term.scale !== form.scale)
        throw new FheError('ARGUMENT_INVALID', 'The partial results are at different levels or scales.');
      sums.absorb(SUM, term);
    }
    if (!form) throw new FheError('ARGUMENT_INVALID', 'There is nothing to add.');
    const sum = { ...form, words: sums.read(SUM).words };
    requireOpaque(sum);
    return this.#encode(epochId, buildCiphertext(this.#set, sum));
  }

  [Symbol.dispose](): void {
    for (const evaluation of [...this.#evaluations.keys()]) this.reset(evaluation);
    this.#encryptors[Symbol.dispose]();
    this.#relinKeys[Symbol.dispose]();
  }

  #current(evaluation: number): { epochId: string; running: Evaluation } {
    const current = this.#evaluations.get(evaluation);
    if (!current) throw new FheError('ARGUMENT_INVALID', 'No evaluation has begun.');
    return current;
  }

  #body(blob: Uint8Array, kind: 'ciphertext' | 'publicKey' | 'relinKeys', epochId: string): Uint8Array {
    return decodeBlob(blob, { kind, parameterSetId: this.#set.id, epochId });
  }

  #blob(epochId: string, ciphertext: SealCiphertext): Uint8Array {
    return this.#encode(epochId, ciphertext.save());
  }

  #encode(epochId: string, body: Uint8Array): Uint8Array {
    return encodeBlob({ kind: 'ciphertext', parameterSetId: this.#set.id, epochId }, body);
  }
}

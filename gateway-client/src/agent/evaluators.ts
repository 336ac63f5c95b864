import { Evaluator, type ParameterSet } from '@strokeshare/fhe';

/** The public keys of an epoch, as an evaluator needs them. */
export interface EpochKeys {
  epochId: string;
  publicKey: () => Promise<Uint8Array>;
  relinKeys: () => Promise<Uint8Array>;
}

interface Slot {
  evaluator: Promise<Evaluator>;
  /** Keys that the worker holds or is about to, newest last: it keeps those of two epochs. */
  loaded: Map<string, Promise<void>>;
}

const EPOCHS_KEPT = 2;

/**
 * Worker threads that encrypt and evaluate. They see public data only (columns to be encrypted go in, but no key), so
 * several agents in one process may share them. Made when first asked for: a context takes two seconds.
 */
export class Evaluators implements AsyncDisposable {
  private readonly slots = new Map<string, Slot[]>();
  private turn = 0;

  /** @param size - worker threads per parameter set; more than the machine's cores bring nothing. */
  constructor(private readonly size: number) {}

  /** A worker with the epoch's public key, for encryption. */
  async forEncryption(set: ParameterSet, keys: EpochKeys): Promise<Evaluator> {
    return this.withKey(set, `public ${keys.epochId}`, async (evaluator) =>
      evaluator.loadPublicKey(keys.epochId, await keys.publicKey()),
    );
  }

  /** A worker with the epoch's relinearisation key, for products. */
  async forEvaluation(set: ParameterSet, keys: EpochKeys): Promise<Evaluator> {
    return this.withKey(set, `relin ${keys.epochId}`, async (evaluator) =>
      evaluator.loadRelinKeys(keys.epochId, await keys.relinKeys()),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.slots.values()].flat();
    this.slots.clear();
    await Promise.allSettled(all.map(async ({ evaluator }) => (await evaluator)[Symbol.asyncDispose]()));
  }

  private async withKey(
    set: ParameterSet,
    key: string,
    load: (evaluator: Evaluator) => Promise<void>,
  ): Promise<Evaluator> {
    const slot = this.nextSlot(set);
    const evaluator = await slot.evaluator;
    let loading = slot.loaded.get(key);
    if (!loading) {
      loading = load(evaluator);
      slot.loaded.set(key, loading);
      this.forgetOld(slot, key);
      loading.catch(() => slot.loaded.delete(key));
    }
    await loading;
    return evaluator;
  }

  private forgetOld({ loaded }: Slot, key: string): void {
    const [kind = ''] = key.split(' ');
    const same = [...loaded.keys()].filter((name) => name.startsWith(`${kind} `));
    for (const old of same.slice(0, -EPOCHS_KEPT)) loaded.delete(old);
  }

  private nextSlot(set: ParameterSet): Slot {
    let slots = this.slots.get(set.id);
    if (!slots) this.slots.set(set.id, (slots = []));
    const index = this.turn++ % this.size;
    let slot = slots[index];
    if (!slot) slots[index] = slot = { evaluator: Evaluator.create(set), loaded: new Map() };
    return slot;
  }
}

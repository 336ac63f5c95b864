import { EvaluatorPool, type ParameterSet } from '@strokeshare/fhe';

/** The public keys of an epoch, as evaluation needs them. */
export interface EpochKeys {
  epochId: string;
  publicKey: () => Promise<Uint8Array>;
  relinKeys: () => Promise<Uint8Array>;
}

/** A pool of one parameter set, with the keys that it holds or is about to hold: oldest first. */
interface Entry {
  pool: Promise<EvaluatorPool>;
  publicKeys: Map<string, Promise<void>>;
  relinKeys: Map<string, Promise<void>>;
}

/** Pools keep the keys of as many epochs. */
const EPOCHS_KEPT = 2;

/**
 * Worker threads that encrypt and evaluate. They see public data only (columns to be encrypted go in, but no key), so
 * several agents in one process may share them. Made when first asked for: a context takes two seconds.
 */
export class Evaluators implements AsyncDisposable {
  private readonly entries = new Map<string, Entry>();

  /** @param workers - threads per parameter set; more than the machine's cores bring nothing. */
  constructor(private readonly workers: number) {}

  /** A pool that holds the epoch's public key, for encryption. */
  async forEncryption(set: ParameterSet, { epochId, publicKey }: EpochKeys): Promise<EvaluatorPool> {
    const { pool, publicKeys } = this.entryOf(set);
    const ready = await pool;
    await once(publicKeys, epochId, async () => ready.loadPublicKey(epochId, await publicKey()));
    return ready;
  }

  /** A pool that holds the epoch's relinearisation key, for products. */
  async forEvaluation(set: ParameterSet, { epochId, relinKeys }: EpochKeys): Promise<EvaluatorPool> {
    const { pool, relinKeys: held } = this.entryOf(set);
    const ready = await pool;
    await once(held, epochId, async () => ready.loadRelinKeys(epochId, await relinKeys()));
    return ready;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.entries.values()];
    this.entries.clear();
    await Promise.allSettled(all.map(async ({ pool }) => (await pool)[Symbol.asyncDispose]()));
  }

  private entryOf(set: ParameterSet): Entry {
    let entry = this.entries.get(set.id);
    if (!entry) {
      const pool = EvaluatorPool.create(set, { workers: this.workers });
      entry = { pool, publicKeys: new Map(), relinKeys: new Map() };
      this.entries.set(set.id, entry);
      pool.catch(() => this.entries.delete(set.id));
    }
    return entry;
  }
}

async function once(
  held: Map<string, Promise<void>>,
  epochId: string,
  load: () => Promise<void>,
): Promise<void> {
  let loading = held.get(epochId);
  if (!loading) {
    loading = load();
    held.set(epochId, loading);
    loading.catch(() => held.delete(epochId));
    for (const old of [...held.keys()].slice(0, -EPOCHS_KEPT)) held.delete(old);
  }
  await loading;
}

import { mine, MiningPool, powSealer, type Sealer, untilDefined } from '@strokeshare/gateway-client';
import { CHANNEL, type Institution, type SharedBatch, type SealingNetwork } from './network.js';

/** Shares so many batches, the institutions in turn, so many of them at the same time. */
export async function shareMany(
  network: SealingNetwork,
  count: number,
  inFlight: number,
): Promise<{ shared: SharedBatch[]; failures: unknown[] }> {
  const shared: SharedBatch[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const institution = network.institutions[next++ % network.institutions.length] ?? network.first;
      try {
        shared.push(await network.share(institution));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { shared, failures };
}

/** Institutions at work on blocks: one mining thread for each, until it is disposed of. */
export class Miners implements AsyncDisposable {
  /** Blocks won, by MSP ID. */
  readonly won = new Map<string, number>();
  /** When an entry's block was committed, by the entry's id. */
  readonly sealed = new Map<string, number>();
  /** How often work was lost to another's block. */
  races = 0;
  /** Milliseconds of work behind each block that was won. */
  readonly work: number[] = [];
  private readonly waiting = new Map<string, () => void>();
  private building = 0;
  private busySince = 0;
  private busyMs = 0;
  private readonly ending = new AbortController();
  private readonly pools: MiningPool[] = [];
  private readonly running: Promise<void>[] = [];

  constructor(institutions: readonly Institution[]) {
    for (const institution of institutions) {
      const pool = new MiningPool(1);
      this.pools.push(pool);
      this.running.push(this.run(institution, pool));
    }
  }

  /** Hashes per second of all threads together, while any of them was at work. */
  get hashRate(): number {
    const hashes = this.pools.reduce((sum, pool) => sum + pool.hashes, 0);
    return (1000 * hashes) / this.busyMs;
  }

  private async run({ mspId, ledger, client }: Institution, pool: MiningPool): Promise<void> {
    const miner = {
      mspId,
      endorsement: client.endorsement,
      events: ledger.events(CHANNEL, 'records'),
      sealers: [this.timed(powSealer(pool))],
    };
    const options = { signal: this.ending.signal, onRace: () => void this.races++ };
    for await (const { batch } of mine(miner, options)) {
      this.won.set(mspId, (this.won.get(mspId) ?? 0) + 1);
      const now = performance.now();
      for (const { id } of batch) {
        this.sealed.set(id, now);
        this.waiting.get(id)?.();
      }
    }
  }

  /** Resolves when an entry's block is committed, with that time. */
  async sealedAt(id: string): Promise<number> {
    if (!this.sealed.has(id)) await new Promise<void>((resolve) => this.waiting.set(id, resolve));
    return this.sealed.get(id) ?? NaN;
  }

  private timed(sealer: Sealer): Sealer {
    return {
      ...sealer,
      build: async (...call) => {
        const started = performance.now();
        if (this.building++ === 0) this.busySince = started;
        try {
          const proof = await sealer.build(...call);
          this.work.push(performance.now() - started);
          return proof;
        } finally {
          if (--this.building === 0) this.busyMs += performance.now() - this.busySince;
        }
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort();
    await Promise.all(this.running);
    await Promise.all(this.pools.map((pool) => pool[Symbol.asyncDispose]()));
  }
}

/** Waits until nothing is pending any more. */
export async function untilSealed({ first }: SealingNetwork, signal: AbortSignal): Promise<void> {
  const { client, ledger } = first;
  await untilDefined(ledger.events(CHANNEL, 'records'), signal, async () => {
    const { items } = await client.endorsement.pending({ limit: 1 }, { signal });
    return items.length === 0 || undefined;
  });
}

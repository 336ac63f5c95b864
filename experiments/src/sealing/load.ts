import { mine, MiningPool, powSealer, untilDefined } from '@strokeshare/gateway-client';
import { CHANNEL, type Institution, type SealingNetwork } from './network.js';

/** When one batch was asked for, committed and sealed: milliseconds. */
export interface SharedBatch {
  readonly id: string;
  readonly asked: number;
  readonly committed: number;
}

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
      const asked = performance.now();
      try {
        const id = await network.share(institution);
        shared.push({ id, asked, committed: performance.now() });
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

  get hashes(): number {
    return this.pools.reduce((sum, { hashes }) => sum + hashes, 0);
  }

  private async run({ mspId, ledger, client }: Institution, pool: MiningPool): Promise<void> {
    const miner = {
      mspId,
      endorsement: client.endorsement,
      events: ledger.events(CHANNEL, 'records'),
      sealers: [powSealer(pool)],
    };
    const options = { signal: this.ending.signal, onRace: () => void this.races++ };
    for await (const { batch } of mine(miner, options)) {
      this.won.set(mspId, (this.won.get(mspId) ?? 0) + 1);
      const now = performance.now();
      for (const { id } of batch) this.sealed.set(id, now);
    }
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

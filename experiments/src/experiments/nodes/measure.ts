import { availableParallelism } from 'node:os';
import { verifyEndorsement } from '@strokeshare/gateway-client';
import { Miners, shareMany, untilSealed } from '../../sealing/load.js';
import { SealingNetwork, type SealingOptions } from '../../sealing/network.js';

/** One figure of one repetition. */
export interface Measurement {
  readonly network: string;
  readonly institutions: number;
  readonly scheme: 'none' | 'pow';
  readonly quantity: Quantity;
  readonly value: number;
}

/**
 * Milliseconds of one batch alone: `shared` is all of it, up to its block's commit under `pow`; the others are its parts.
 * `rate`: batches per second, many at the same time.
 */
export type Quantity = 'shared' | 'endorse' | 'commit' | 'work' | 'seal' | 'rate' | 'hashes/s';

export const REPETITIONS = 3;
const ALONE = { none: 5, pow: 4 };
const TOGETHER = 45;
const IN_FLIGHT = 15;
/** Hashes of a block on average: some tenths of a second of one thread. */
export const BLOCK_HASHES = 60_000;
const LIMIT_MS = 300_000;

/** At most as many institutions mine as there are cores: all networks have the same hash power. */
export const minersOf = (institutions: number): number => Math.min(institutions, availableParallelism());

/** Measures one network under `none`, then under `pow`. */
export async function measureNetwork(network: string, options: SealingOptions): Promise<Measurement[]> {
  const { institutions } = options;
  await using running = await SealingNetwork.start(options);
  const rows: Measurement[] = [];
  const note = (scheme: 'none' | 'pow', quantity: Quantity, value: number): void =>
    void rows.push({ network, institutions, scheme, quantity, value });

  // Compiles what a service that runs for long has compiled.
  await shareMany(running, IN_FLIGHT, IN_FLIGHT);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    for (let i = 0; i < ALONE.none; i++) {
      const { asked, endorsed, committed } = await running.share(running.first);
      note('none', 'shared', committed - asked);
      note('none', 'endorse', endorsed - asked);
      note('none', 'commit', committed - endorsed);
    }
    const started = performance.now();
    throwFirst((await shareMany(running, TOGETHER, IN_FLIGHT)).failures);
    note('none', 'rate', (1000 * TOGETHER) / (performance.now() - started));
  }

  await running.choosePow(BLOCK_HASHES);
  const miners = new Miners(running.institutions.slice(0, minersOf(institutions)));
  try {
    for (let repetition = 0; repetition < REPETITIONS; repetition++) await underPow(running, miners, note);
  } finally {
    await miners[Symbol.asyncDispose]();
  }
  note('pow', 'hashes/s', miners.hashRate);
  const readers = [running.first.client.endorsement];
  const { entries } = await verifyEndorsement(readers, AbortSignal.timeout(LIMIT_MS));
  if (entries !== REPETITIONS * (ALONE.pow + TOGETHER))
    throw new Error(`The chain seals ${entries} batches, which is not what was shared.`);
  return rows;
}

async function underPow(
  network: SealingNetwork,
  miners: Miners,
  note: (scheme: 'pow', quantity: Quantity, value: number) => void,
): Promise<void> {
  for (let i = 0; i < ALONE.pow; i++) {
    const { id, asked, endorsed, committed } = await network.share(network.first);
    const sealed = await miners.sealedAt(id);
    // The work began when the miners heard of the entry; what it took is known from the winner.
    const work = Math.min(miners.work.at(-1) ?? 0, Math.max(0, sealed - committed));
    note('pow', 'shared', sealed - asked);
    note('pow', 'endorse', endorsed - asked);
    note('pow', 'commit', committed - endorsed);
    note('pow', 'work', work);
    note('pow', 'seal', Math.max(0, sealed - committed - work));
  }
  const started = performance.now();
  throwFirst((await shareMany(network, TOGETHER, IN_FLIGHT)).failures);
  await untilSealed(network, AbortSignal.timeout(LIMIT_MS));
  note('pow', 'rate', (1000 * TOGETHER) / (performance.now() - started));
}

function throwFirst(failures: readonly unknown[]): void {
  if (failures.length > 0) throw failures[0];
}

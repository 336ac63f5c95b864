import { setTimeout as sleep } from 'node:timers/promises';
import { sealedRoot, type ChosenScheme, type SealedBlock, type SealedItem } from '@strokeshare/chaincode';
import { allPages } from '../agent/context.js';
import { type InstitutionClient, LedgerError, type LedgerEvents, Wake } from '../connect/index.js';
import { ClientError } from '../errors.js';
import type { Sealer, SealProgress } from './sealer.js';

export type EndorsementClient = InstitutionClient['endorsement'];

/** Who mines, and where. */
export interface Miner {
  readonly mspId: string;
  readonly endorsement: EndorsementClient;
  /** The channel's events: a block of another ends the work on the same tip. */
  readonly events: LedgerEvents;
  /** The client's half of every scheme that it knows. */
  readonly sealers: readonly Sealer[];
}

export interface MiningOptions {
  signal: AbortSignal;
  /** Also mines empty blocks, so that the target's interval holds all the time. */
  continuous?: boolean;
  onProgress?: (progress: SealProgress) => void;
  /** Another block came first. */
  onRace?: (height: number) => void;
}

/** As many as one block takes. */
const MAXIMUM_BATCH = 100;
/** New entries join the work at most so often: mining has no memory, so that changing the batch loses nothing. */
const REFRESH_MS = 250;
/** Looks again after this long even without an event. */
const IDLE_MS = 5_000;
const SEAL_EVENT = 'EndorsementContract:Seal';
/** What tells that another block came first. */
const RACES = new Set(['STALE_TIP', 'NOT_PENDING']);

/**
 * Mines until the signal is aborted: seals what is pending, oldest first, and hands out the blocks that it won.
 *
 * @throws ClientError `SCHEME_UNKNOWN` where the channel seals nothing or by a scheme without a sealer.
 */
export async function* mine(miner: Miner, options: MiningOptions): AsyncGenerator<SealedBlock> {
  const { endorsement, events } = miner;
  const { signal, continuous = false } = options;
  const { chosen, sealer } = await schemeOf(miner, signal);
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const race = new Race();
  const wake = new Wake();
  const watching = watch(events, either, race, wake);
  try {
    while (!signal.aborted) {
      const tip = await endorsement.tip({}, { signal });
      const batch = await oldestPending(endorsement, signal);
      if (batch.length === 0 && !continuous && !(await wantsDepth(endorsement, chosen, tip.height, signal))) {
        await wake.next(IDLE_MS, signal);
        continue;
      }
      const work = { chosen, tip, merkleRoot: sealedRoot(batch), mspId: miner.mspId };
      const { onProgress } = options;
      const raced = race.on(tip.height);
      const built = new AbortController();
      const renewed = batch.length < MAXIMUM_BATCH ? renewal(wake, built.signal) : built.signal;
      try {
        const proof = await sealer.build(work, {
          signal: AbortSignal.any([signal, raced, renewed]),
          ...(onProgress && { onProgress }),
        });
        built.abort();
        yield await endorsement.seal({ proof: Buffer.from(proof).toString('base64'), batch }, { signal });
      } catch (error) {
        if (signal.aborted) return;
        if (!lost(error)) throw error;
        if (raced.aborted || error instanceof LedgerError) options.onRace?.(tip.height + 1);
      } finally {
        built.abort();
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    ending.abort();
    await watching;
  }
}

async function schemeOf(
  { endorsement, sealers }: Miner,
  signal: AbortSignal,
): Promise<{ chosen: ChosenScheme; sealer: Sealer }> {
  const { scheme, chosen } = await endorsement.scheme({}, { signal });
  const sealer = sealers.find(({ name }) => name === scheme);
  if (!chosen || !sealer)
    throw new ClientError('SCHEME_UNKNOWN', `There is nothing to mine by the channel's scheme, ${scheme}.`);
  return { chosen, sealer };
}

/** The work on a tip ends when a block on it is seen. */
class Race {
  private seen = 0;
  private work: { height: number; ending: AbortController } | undefined;

  on(height: number): AbortSignal {
    const ending = new AbortController();
    this.work = { height, ending };
    if (this.seen > height) ending.abort();
    return ending.signal;
  }

  block(height: number): void {
    this.seen = Math.max(this.seen, height);
    if (this.work && this.seen > this.work.height) this.work.ending.abort();
  }
}

async function watch(events: LedgerEvents, signal: AbortSignal, race: Race, wake: Wake): Promise<void> {
  for await (const { name, payload } of events(signal)) {
    wake.call();
    if (name === SEAL_EVENT) race.block(Number((JSON.parse(payload) as { id: string }).id));
  }
}

/** Aborted when something has happened on the channel since the work began; only watched until it is built. */
function renewal(wake: Wake, built: AbortSignal): AbortSignal {
  const renewing = new AbortController();
  void (async () => {
    await sleep(REFRESH_MS, undefined, { signal: built }).catch(() => undefined);
    await wake.next(IDLE_MS, built);
    renewing.abort();
  })();
  return renewing.signal;
}

async function oldestPending(endorsement: EndorsementClient, signal: AbortSignal): Promise<SealedItem[]> {
  const items = await allPages((after) =>
    endorsement.pending(after === undefined ? {} : { after }, { signal }),
  );
  return items
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .slice(0, MAXIMUM_BATCH)
    .map(({ kind, id, digest }) => ({ kind, id, digest }));
}

/** Whether something that is sealed waits for blocks above it. */
async function wantsDepth(
  endorsement: EndorsementClient,
  { depth }: ChosenScheme,
  tip: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (let height = Math.max(1, tip - depth + 2); height <= tip; height++)
    if ((await endorsement.block({ height }, { signal })).batch.length > 0) return true;
  return false;
}

const lost = (error: unknown): boolean =>
  error instanceof LedgerError
    ? RACES.has(error.contractCode ?? '') || error.code === 'COMMIT_FAILED'
    : error instanceof ClientError && error.code === 'CANCELLED';

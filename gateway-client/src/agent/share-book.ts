import {
  answerRelease,
  FheError,
  ReleaseJournal,
  sha256Hex,
  type HolderKey,
  type ReleaseEntry,
} from '@strokeshare/fhe';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import type { AgentContext } from './context.js';
import { openHolderKey, releaseLogOf } from './holder-key.js';
import type { Vault, VaultLog } from './vault.js';

/** A coefficient of which a share is asked. */
export interface ShareRequest {
  cell: string;
  /** Body of the aggregate that this institution computed itself. */
  ciphertext: Uint8Array;
  /** Deviation of the flooding noise. */
  sigma: bigint;
  /** Deviation of the differential privacy noise, where it is agreed. */
  privacySigma?: bigint;
}

/** What every cell of a job was asked of: one ciphertext on one set of terms. */
const cellsOfJob = z.record(z.string(), z.string());

/** The journal of a holder's key with the file that it is kept in. */
export interface OpenJournal {
  journal: ReleaseJournal;
  log: VaultLog;
}

/**
 * Every share that this holder ever gave. Two rules hold, across restarts and whatever the ledger says: one cell of one
 * job is asked of one ciphertext; and the release journal of the key charges each coefficient of a ciphertext once for
 * each committee, answers it on one set of terms alone (the same c1 at another level or with other noise is refused,
 * under whichever job), and refuses once the flooding noise is used up. The same coefficient on the same terms gives the
 * same bytes to every job, so that asking again teaches nothing. Entries are durable before a share leaves.
 */
export class ShareBook {
  constructor(private readonly context: AgentContext) {}

  /**
   * Gives the shares of some cells of a job.
   *
   * @param committee - indexes of the holders that release together.
   * @throws ClientError `BUDGET_EXHAUSTED`; `REPLAY_MISMATCH` when the same cell is asked of other bytes; FheError
   *   `RELEASE_REFUSED` when the same ciphertext is asked on other terms.
   */
  async shares(
    jobId: string,
    epochId: string,
    committee: readonly number[],
    requests: readonly ShareRequest[],
  ): Promise<Map<string, Uint8Array>> {
    await this.bindCells(jobId, requests);
    using key = await openHolderKey(this.context, epochId);
    return await this.inTurn(key, async (open) => {
      const sorted = [...committee].sort((a, b) => a - b);
      const shares = new Map<string, Uint8Array>();
      for (const { cell, ...request } of requests)
        shares.set(cell, await answer(key, open, { ...request, committee: sorted }));
      return shares;
    });
  }

  private async bindCells(jobId: string, requests: readonly ShareRequest[]): Promise<void> {
    const { vault } = this.context;
    const name = `shares-${jobId}`;
    const known = cellsOfJob.parse((await vault.readJson(name)) ?? {});
    for (const request of requests) {
      const before = known[request.cell];
      if (before !== undefined && before !== identityOf(request)) {
        throw new ClientError(
          'REPLAY_MISMATCH',
          `A share of cell ${request.cell} of job ${jobId} was given before, of another ciphertext.`,
        );
      }
    }
    const added = Object.fromEntries(requests.map((request) => [request.cell, identityOf(request)]));
    await vault.writeJson(name, { ...known, ...added });
  }

  /** One piece of work on a key's journal after another; after an error it is read again from its file. */
  private async inTurn<T>(key: HolderKey, work: (open: OpenJournal) => Promise<T>): Promise<T> {
    const { releases, vault } = this.context;
    const name = releaseLogOf(key);
    const before = releases.get(name) ?? openJournal(vault, key);
    const done = before.then(async (open) => ({ open, result: await work(open) }));
    const after = done.then(({ open }) => open);
    // Whoever comes next reads the file again.
    after.catch(() => undefined);
    releases.set(name, after);
    try {
      return (await done).result;
    } catch (error) {
      if (releases.get(name) === after) releases.delete(name);
      throw error;
    }
  }
}

async function openJournal(vault: Vault, key: HolderKey): Promise<OpenJournal> {
  const { log, entries } = await vault.openLog(releaseLogOf(key));
  const lines = entries.map((entry): unknown => JSON.parse(Buffer.from(entry).toString('utf8')));
  return { journal: ReleaseJournal.restore(key, lines), log };
}

async function answer(
  key: HolderKey,
  { journal, log }: OpenJournal,
  request: Parameters<typeof answerRelease>[2],
): Promise<Uint8Array> {
  const persist = (entry: ReleaseEntry): Promise<void> => log.append(Buffer.from(JSON.stringify(entry)));
  try {
    return await answerRelease(key, journal, request, persist);
  } catch (error) {
    if (!(error instanceof FheError && error.code === 'RELEASE_BUDGET_EXHAUSTED')) throw error;
    throw new ClientError('BUDGET_EXHAUSTED', error.message, { cause: error });
  }
}

function identityOf({ ciphertext, sigma, privacySigma }: ShareRequest): string {
  return `${[sigma, ...(privacySigma === undefined ? [] : [privacySigma])].join('+')} ${sha256Hex(ciphertext)}`;
}

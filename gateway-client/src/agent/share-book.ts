import { releaseShare, sha256Hex, type HolderKey, type ParameterSet } from '@strokeshare/fhe';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import type { AgentContext } from './context.js';
import { openHolderKey } from './holder-key.js';

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

const page = z.record(z.string(), z.strictObject({ request: z.string(), share: z.base64() }));
const ledgerOfCoefficients = z.record(z.string(), z.number().int().nonnegative());

/**
 * Every share that this holder ever gave, and how many coefficients each committee was given in an epoch. A share is
 * computed once; whoever asks again gets the stored bytes. The flooding noise is worth 2^tauLog2 coefficients per
 * committee: beyond that the holder refuses, whatever the ledger says.
 */
export class ShareBook {
  constructor(private readonly context: AgentContext) {}

  /**
   * Gives the shares of some cells of a job.
   *
   * @param committee - indexes of the holders that release together.
   * @throws ClientError `BUDGET_EXHAUSTED`; `REPLAY_MISMATCH` when the same cell is asked of other bytes.
   */
  async shares(
    jobId: string,
    epochId: string,
    set: ParameterSet,
    committee: readonly number[],
    requests: readonly ShareRequest[],
  ): Promise<Map<string, Uint8Array>> {
    const { vault } = this.context;
    const name = `shares-${jobId}`;
    const entries = page.parse((await vault.readJson(name)) ?? {});
    const sorted = [...committee].sort((a, b) => a - b);
    const keyOf = (cell: string): string => `${sorted.join(',')} ${cell}`;
    const missing = requests.filter((request) => {
      const given = Object.entries(entries).filter(([key]) => key.endsWith(` ${request.cell}`));
      if (given.some(([, entry]) => entry.request !== identityOf(request))) {
        throw new ClientError(
          'REPLAY_MISMATCH',
          `A share of cell ${request.cell} of job ${jobId} was given before, of another ciphertext.`,
        );
      }
      return !entries[keyOf(request.cell)];
    });
    if (missing.length > 0) {
      await this.charge(epochId, set, sorted, missing.length);
      using key = await openHolderKey(this.context, epochId);
      for (const request of missing) {
        entries[keyOf(request.cell)] = {
          request: identityOf(request),
          share: Buffer.from(shareOf(key, request, sorted)).toString('base64'),
        };
      }
      await vault.writeJson(name, entries);
    }
    return new Map(
      requests.map(({ cell }) => [
        cell,
        new Uint8Array(Buffer.from(entries[keyOf(cell)]?.share ?? '', 'base64')),
      ]),
    );
  }

  /** Counted before the shares are computed, so that a crash in between costs budget and never noise. */
  private async charge(
    epochId: string,
    set: ParameterSet,
    committee: number[],
    count: number,
  ): Promise<void> {
    const { vault } = this.context;
    const name = `coefficients-${epochId.replaceAll(':', '_')}`;
    const used = ledgerOfCoefficients.parse((await vault.readJson(name)) ?? {});
    const key = committee.join(',');
    const total = (used[key] ?? 0) + count;
    if (total > 2 ** set.smudging.tauLog2) {
      throw new ClientError(
        'BUDGET_EXHAUSTED',
        `The flooding noise of epoch ${epochId} is used up for this committee.`,
      );
    }
    await vault.writeJson(name, { ...used, [key]: total });
  }
}

function shareOf(key: HolderKey, request: ShareRequest, committee: number[]): Uint8Array {
  const { ciphertext, sigma, privacySigma } = request;
  return releaseShare(key, {
    ciphertext,
    committee,
    sigma,
    ...(privacySigma !== undefined && { privacySigma }),
  });
}

function identityOf({ ciphertext, sigma, privacySigma }: ShareRequest): string {
  return `${[sigma, ...(privacySigma === undefined ? [] : [privacySigma])].join('+')} ${sha256Hex(ciphertext)}`;
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** A job's arithmetic in processes of their own: as in the contract's process of another institution, or a later one. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { consortium, type JobView } from '../../src/index.js';
import { type Alliance, EPOCH } from './alliance.js';

const run = promisify(execFile);
const PROGRAM = join(__dirname, 'evaluateAlone.cjs');

/** What a process says, and what the ledger does. */
export interface Evaluated {
  planHash: string;
  /** Of the first institution. */
  partials: Record<string, string>;
  sums: Record<string, { hash: string; c0: string }>;
}

/** What the contracts found for a job. */
export async function onLedger(alliance: Alliance, { jobId, planHash }: JobView): Promise<Evaluated> {
  const { partials } = await alliance.ask(consortium.JobContract.Partials, { jobId });
  const { aggregates } = await alliance.ask(consortium.JobContract.Aggregates, { jobId });
  return { planHash: planHash!, partials: partials[alliance.member(0).mspId]!.partials, sums: aggregates };
}

/** The same by as many new processes of a runtime as are asked for, all at once. */
export async function inProcesses(
  alliance: Alliance,
  job: JobView,
  runtimes: readonly string[],
): Promise<(Evaluated & { node: string })[]> {
  const folder = await mkdtemp(join(tmpdir(), 'strokeshare-bytes-'));
  try {
    let files = 0;
    const put = async (blob: Uint8Array): Promise<string> => {
      const file = join(folder, `blob-${++files}`);
      await writeFile(file, blob);
      return file;
    };
    const batches: [string, string][][] = [];
    for (const columns of alliance.batchesOf(alliance.member(0)).values()) {
      const batch: [string, string][] = [];
      for (const [name, blob] of columns) batch.push([name, await put(blob)]);
      batches.push(batch);
    }
    const partials: Record<string, string[]> = {};
    for (const [name, blob] of Object.entries(await alliance.partialBlobs(job.jobId)))
      (partials[name.split('/')[1]!] ??= []).push(await put(blob));
    const input = join(folder, 'job.json');
    const relinKeys = await put(alliance.relinKeys);
    const content = {
      set: alliance.set.name,
      plan: alliance.planOf(job),
      cells: job.cells.map(({ id }) => id),
      epochId: EPOCH,
      ...{ relinKeys, batches, partials },
    };
    await writeFile(input, JSON.stringify(content));
    return await Promise.all(
      runtimes.map(async (node) => {
        const { stdout } = await run(node, [PROGRAM, input], { env: {} });
        return JSON.parse(stdout) as Evaluated & { node: string };
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

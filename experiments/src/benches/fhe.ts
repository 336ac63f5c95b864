import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ColumnBatch, EvaluatorPool, parameterSet } from '@strokeshare/fhe';
import { row, type BenchRow } from '../report.js';
import { collectiveKeys, type EpochKeys } from './fhe/keys.js';
import { operations } from './fhe/operations.js';
import { Job } from './fhe/ours.js';
import { type PeerAnswer, type PeerMissing, TenSeal } from './fhe/peer.js';
import { alternate, median } from './fhe/rounds.js';
import { columnBytes, pack, patients, plainCells, resample } from './fhe/table.js';
import type { Bench } from './index.js';

const RESAMPLED = 1_000_000;
/** A released sum of a million patients is off by less than this; TenSEAL's too. */
const TOLERANCE = 1e-2;

/**
 * Encryption, evaluation and release against TenSEAL (native SEAL) in the same run: same degree, primes and scale,
 * rounds of both in turn. Ours includes the shares of all holders of a committee; theirs includes decryption.
 */
export const fheBench: Bench = {
  summary: 'collective CKKS against TenSEAL: operations, whole job, query at rest, bytes',
  run: async (progress) => {
    const set = parameterSet('standard');
    const { records, csvBytes } = await patients();
    const trial = pack(records, set);
    const resampled = pack(resample(records, RESAMPLED), set);
    progress('key ceremony of 5 holders, 3 of which release');
    const keys = await collectiveKeys(set, 5, 3);
    await using pool = await EvaluatorPool.create(set);
    await pool.loadPublicKey(keys.epochId, keys.publicKey);
    await pool.loadRelinKeys(keys.epochId, keys.relinKeys);

    const folder = await mkdtemp(join(tmpdir(), 'strokeshare-bench-'));
    try {
      const files = { file: join(folder, 'trial'), resampled: join(folder, 'resampled') };
      await writeFile(files.file, columnBytes(trial));
      await writeFile(files.resampled, columnBytes(resampled));
      const { polyModulusDegree: degree, scaleBits, primes } = set;
      const options = { degree, primes: primes.length, scale_bits: scaleBits, ...files };
      const peer = await TenSeal.start({ ...options, threads: availableParallelism() }, progress);
      try {
        const csvBytesPerValue = csvBytes / (2 * records.length);
        return [
          ...(await operations(set, pool, keys, trial, csvBytesPerValue, peer, progress)),
          ...(await jobs(pool, keys, trial, resampled, peer, progress)),
        ];
      } finally {
        if (peer instanceof TenSeal) await peer[Symbol.asyncDispose]();
      }
    } finally {
      await rm(folder, { recursive: true });
      for (const holder of keys.holders) holder[Symbol.dispose]();
    }
  },
};

async function jobs(
  pool: EvaluatorPool,
  keys: EpochKeys,
  trial: readonly ColumnBatch[],
  resampled: readonly ColumnBatch[],
  peer: TenSeal | PeerMissing,
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  const job = new Job(pool, keys);
  progress(`whole job: two columns of ${rowsOf(trial)} patients, five released sums`);
  const whole = await compared(
    5,
    trial,
    () => job.run(job.encrypt(trial), trial.length),
    peer instanceof TenSeal ? () => peer.job('whole_job') : undefined,
  );
  progress(`query at rest: encrypting two columns of ${rowsOf(resampled)} resampled patients`);
  const stored: Map<string, Uint8Array>[] = [];
  for await (const batch of job.encrypt(resampled)) stored.push(batch);
  progress('query at rest');
  const rest = await compared(
    3,
    resampled,
    () => job.run(stored, stored.length),
    peer instanceof TenSeal ? () => peer.job('query_at_rest') : undefined,
  );
  const name = peer instanceof TenSeal ? 'TenSEAL' : peer.reason;
  return [
    row('whole job', 's', whole.ours, whole.theirs, name),
    row('query at rest', 's', rest.ours, rest.theirs, name),
  ];
}

/** Medians of rounds in turn; every result is checked against the plain sums. */
async function compared(
  rounds: number,
  batches: readonly ColumnBatch[],
  ours: () => Promise<number[]>,
  theirs: (() => Promise<PeerAnswer>) | undefined,
): Promise<{ ours: number; theirs: number | null }> {
  const truth = plainCells(batches);
  const check = (who: string, sums: readonly number[] | undefined): void => {
    truth.forEach((value, i) => {
      const error = Math.abs((sums?.[i] ?? Number.NaN) - value);
      if (!(error < TOLERANCE)) throw new Error(`A sum of ${who} is off by ${error}.`);
    });
  };
  const times = await alternate(
    rounds,
    async () => {
      const start = performance.now();
      check('ours', await ours());
      return (performance.now() - start) / 1000;
    },
    theirs &&
      (async () => {
        const { seconds, result } = await theirs();
        check('TenSEAL', result);
        return seconds;
      }),
  );
  return { ours: median(times.ours), theirs: times.theirs && median(times.theirs) };
}

function rowsOf(batches: readonly ColumnBatch[]): number {
  return batches.reduce((sum, { rows }) => sum + rows, 0);
}

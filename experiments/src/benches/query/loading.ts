import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { packColumns, parameterSet } from '@strokeshare/fhe';
import { Evaluators, openTable, parseMapping, readRows, type OwnRow } from '@strokeshare/gateway-client';
import { ROOT, row, type BenchRow } from '../../report.js';
import { EPOCH, type Study } from '../../study/alliance.js';
import type { Trial } from '../../study/trial.js';
import { resampled, table, tableSchema } from './records.js';

const set = parameterSet('standard');
const WORKERS = 2;
/** Columns of one request, as loading asks for. */
const COLUMNS_AT_ONCE = 8;
/** Batches that the pool alone is measured by: some seconds, so that a lucky moment does not count for the whole. */
const POOL_ROUNDS = 25;
const MIB = 2 ** 20;

/** A table on the disk, and what else of the trial loading needs: the trial's own records need not stay in memory. */
export interface BenchTable extends AsyncDisposable {
  path: string;
  patients: number;
  provenance: Trial['provenance'];
  /** The columns of one batch, packed. */
  columns: readonly Float64Array[];
}

/** Writes a table of so many patients. */
export async function writeTable({ all, provenance }: Trial, patients: number): Promise<BenchTable> {
  const parent = join(ROOT, '.strokeshare');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'table-'));
  const path = join(folder, 'table.csv');
  await pipeline(table(all, patients), createWriteStream(path));
  return {
    ...{ path, patients, provenance, columns: columnsOf(all) },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/**
 * Loading of a table from its file to batches on the ledger, beside what the pool alone encrypts: patients a second, and
 * what the memory of this process grew by.
 */
export async function loadingRows(
  study: Study,
  { path, patients, provenance, columns }: BenchTable,
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  const before = await poolPace(study, columns);
  const start = process.memoryUsage.rss();
  let peak = start;
  const { rate, processorTime } = await paceOf(patients, () =>
    study.load(
      {
        ...{ datasetId: 'loaded', title: 'A large table', owner: 0 },
        ...{ schema: tableSchema, provenance },
        rows: rowsOf(path),
      },
      (done) => {
        peak = Math.max(peak, process.memoryUsage.rss());
        progress(`loads: ${done} of ${patients} patients`);
      },
    ),
  );
  const after = await poolPace(study, columns);
  return [
    row(
      `loading and encrypting ${patients} patients x 10 columns`,
      '1/s',
      rate,
      Math.max(before.rate, after.rate),
      'the pool alone, in the same run',
      'higher',
    ),
    row(
      "processor time of a patient in this process, without the network's",
      'us',
      processorTime,
      Math.min(before.processorTime, after.processorTime),
      'the pool alone, in the same run',
    ),
    row(
      'memory that loading took',
      'MiB',
      (peak - start) / MIB,
      null,
      'no peer: bounded, whatever the table',
    ),
  ];
}

/** How fast patients are worked on. */
interface Pace {
  /** Patients a second. */
  rate: number;
  /** Microseconds of this process for one, which other work on the machine makes hardly longer. */
  processorTime: number;
}

async function paceOf(patients: number, work: () => Promise<void>): Promise<Pace> {
  const [started, used] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return {
    rate: (1000 * patients) / (performance.now() - started),
    processorTime: (user + system) / patients,
  };
}

async function* rowsOf(path: string): AsyncGenerator<OwnRow[]> {
  const { bytes } = await openTable(path);
  for await (const rows of readRows(bytes, { schema: tableSchema, mapping: parseMapping({ fields: {} }) }))
    yield rows.map((read) => {
      if ('reason' in read) throw new Error(`Line ${read.line}: ${read.reason}.`);
      return { values: read.values, patient: `line ${read.line}` };
    });
}

function columnsOf(all: Trial['all']): Float64Array[] {
  const records = [...resampled(all, set.slots)].map(({ values }) => {
    const numbers = [values['AGE'], values['RSBP'], values['RDELAY']];
    return Object.fromEntries(
      tableSchema.variables.map(({ name }, i) => [name, numbers[i % numbers.length] ?? null]),
    );
  });
  const [packed] = packColumns(tableSchema, records, set).batches;
  return [...(packed?.columns.values() ?? [])];
}

/** The pool's pace when it has nothing else to do and its columns are packed. */
async function poolPace({ agents }: Study, columns: readonly Float64Array[]): Promise<Pace> {
  const [agent] = agents;
  if (!agent) throw new TypeError('an alliance has agents');
  const { consortium, store, signal } = agent.context;
  const { publicKeyHash = '' } = await consortium.epochs.get({ epochId: EPOCH }, { signal });
  await using evaluators = new Evaluators(WORKERS);
  const pool = await evaluators.forEncryption(set, {
    epochId: EPOCH,
    publicKey: () => store.get(publicKeyHash),
    relinKeys: () => Promise.reject(new TypeError('nothing is multiplied')),
  });
  const encrypt = async (): Promise<void> => {
    for (let start = 0; start < columns.length; start += COLUMNS_AT_ONCE)
      await pool.encryptColumns(EPOCH, columns.slice(start, start + COLUMNS_AT_ONCE), { signal });
  };
  await encrypt();
  return await paceOf(POOL_ROUNDS * set.slots, async () => {
    for (let round = 0; round < POOL_ROUNDS; round++) await encrypt();
  });
}

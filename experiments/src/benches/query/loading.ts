import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { packColumns, parameterSet } from '@strokeshare/fhe';
import { Evaluators, openTable, parseMapping, readRows, type OwnPatients } from '@strokeshare/gateway-client';
import { ROOT, row, type BenchRow } from '../../report.js';
import { EPOCH, type Study } from '../../study/alliance.js';
import type { Trial } from '../../study/trial.js';
import { resampled, table, tableSchema } from './records.js';

const set = parameterSet('standard');
const MIB = 2 ** 20;
const WORKERS = 2;
/** Columns of one request, as loading asks for. */
const COLUMNS_AT_ONCE = 8;
/** Batches that the pool alone is measured by. */
const POOL_BATCHES = 25;
/** The table is loaded so often, and the run in the middle counts: an odd number. */
const RUNS = 3;
/** Batches that are loaded, and paces of the pool, before anything is measured. */
const WARM_UP = 2;

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
 * what the memory of this process grew by. A machine's speed drifts, so the pool is measured right before and after each
 * of some runs, and the faster counts; of the runs the one in the middle.
 */
export async function loadingRows(
  study: Study,
  { path, patients, provenance, columns }: BenchTable,
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  let peak = 0;
  const load = (datasetId: string, rows: AsyncIterable<OwnPatients>): Promise<void> =>
    study.load(
      { datasetId, title: 'A large table', owner: 0, schema: tableSchema, provenance, rows },
      (done) => {
        peak = Math.max(peak, process.memoryUsage.rss());
        progress(`loads: ${done} of ${patients} patients`);
      },
    );
  // Neither is measured while its threads start and their code is compiled.
  await load('warm-up', firstOf(rowsOf(path), WARM_UP * set.slots));
  await using pool = await BarePool.open(study, columns);
  for (let pace = 0; pace < WARM_UP; pace++) await pool.pace();
  const start = (peak = process.memoryUsage.rss());
  const runs: Run[] = [];
  let before = await pool.pace();
  for (let run = 1; run <= RUNS; run++) {
    const own = await paceOf(patients, () => load(`loaded-${run}`, rowsOf(path)));
    const after = await pool.pace();
    runs.push({ own, beside: fastestOf([before, after]) });
    before = after;
  }
  runs.sort((a, b) => shareOf(a) - shareOf(b));
  const middle = runs[Math.floor(RUNS / 2)];
  if (!middle) throw new TypeError('a table is loaded at least once');
  const { own, beside } = middle;
  const peer = 'the pool alone, right before or after, the faster';
  const all = `the middle one of ${runs.map((run) => shareOf(run).toFixed(2)).join(', ')}`;
  return [
    row(
      `loading and encrypting ${patients} patients x 10 columns, ${all}`,
      ...(['1/s', own.rate, beside.rate, peer, 'higher'] as const),
    ),
    row(
      "processor time of a patient in this process, without the network's",
      'us',
      own.processorTime,
      beside.processorTime,
      peer,
    ),
    row(
      'memory beyond what loading a small table took',
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

/** A loading, and the pool's pace beside it. */
interface Run {
  own: Pace;
  beside: Pace;
}

const shareOf = ({ own, beside }: Run): number => own.rate / beside.rate;

async function paceOf(patients: number, work: () => Promise<void>): Promise<Pace> {
  const [started, used] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return {
    rate: (1000 * patients) / (performance.now() - started),
    processorTime: (user + system) / patients,
  };
}

function fastestOf(paces: readonly Pace[]): Pace {
  return {
    rate: Math.max(...paces.map(({ rate }) => rate)),
    processorTime: Math.min(...paces.map(({ processorTime }) => processorTime)),
  };
}

/** At least so many patients. */
async function* firstOf(rows: AsyncIterable<OwnPatients>, patients: number): AsyncGenerator<OwnPatients> {
  let left = patients;
  for await (const some of rows) {
    yield some;
    left -= some.patients.length;
    if (left <= 0) return;
  }
}

async function* rowsOf(path: string): AsyncGenerator<OwnPatients> {
  const { bytes } = await openTable(path);
  const mapping = parseMapping({ fields: {} });
  for await (const { fields, lines, rejected } of readRows(bytes, { schema: tableSchema, mapping })) {
    const [first] = rejected;
    if (first) throw new Error(`Line ${first.line}: ${first.reason}.`);
    yield { fields, patients: lines.map((line) => `line ${line}`) };
  }
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

/** The pool when it has nothing else to do and its columns are packed. */
class BarePool implements AsyncDisposable {
  private constructor(
    private readonly evaluators: Evaluators,
    private readonly encrypt: () => Promise<void>,
  ) {}

  static async open({ agents }: Study, columns: readonly Float64Array[]): Promise<BarePool> {
    const [agent] = agents;
    if (!agent) throw new TypeError('an alliance has agents');
    const { consortium, store, signal } = agent.context;
    const { publicKeyHash = '' } = await consortium.epochs.get({ epochId: EPOCH }, { signal });
    const evaluators = new Evaluators(WORKERS);
    const pool = await evaluators.forEncryption(set, {
      epochId: EPOCH,
      publicKey: () => store.get(publicKeyHash),
      relinKeys: () => Promise.reject(new TypeError('nothing is multiplied')),
    });
    return new BarePool(evaluators, async () => {
      for (let start = 0; start < columns.length; start += COLUMNS_AT_ONCE)
        await pool.encryptColumns(EPOCH, columns.slice(start, start + COLUMNS_AT_ONCE), { signal });
    });
  }

  /** Its pace over some seconds, so that a lucky moment does not count for the whole. */
  pace(): Promise<Pace> {
    return paceOf(POOL_BATCHES * set.slots, async () => {
      for (let batch = 0; batch < POOL_BATCHES; batch++) await this.encrypt();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.evaluators[Symbol.asyncDispose]();
  }
}

import type { AnalysisQuery, Schema } from '@strokeshare/fhe';
import { demo } from '@strokeshare/gateway-client';
import { memoryOf } from '../memory.js';
import { processorTimeOf } from '../processorTime.js';
import { row, type BenchRow } from '../report.js';
import { withStudy, type Study } from '../study/alliance.js';
import { enterTrial, namesOf, readTrial, type Trial } from '../study/trial.js';
import type { Bench } from './index.js';
import { loadingOf } from './load.js';
import { narrowed, resampledRows } from './query/records.js';
import { STAGES, timed, Watch, type Timing } from './query/timed.js';

const BASE_PORT = 26_051;
const SAMPLE_MS = 500;
const GIB = 2 ** 30;
/** What everything that the bench starts carries in its environment. */
const MARKER = `STROKESHARE_BENCH=${process.pid}`;
/** What a warm 2x2 table may take. */
const TABLE_SECONDS = 3;

/** How much is measured; the quick form shows the same rows of less. */
const FULL = { rounds: 3, patients: [200_000, 1_000_000], institutions: [2, 8, 16], loaded: 1_000_000 };
const QUICK = { rounds: 1, patients: [77_740], institutions: [2], loaded: 65_536 };
type Size = typeof FULL;

type Statistics = AnalysisQuery['statistics'];
const TABLE: Statistics = [{ id: 's', kind: 'crosstab', rows: 'RXASP', columns: 'ID14' }];
/** Each statistic of the ledger; everything else is computed from their cells by the researcher. */
const QUESTIONS: readonly (readonly [string, Statistics])[] = [
  ['2x2 table', TABLE],
  ['count by 5 levels', [{ id: 's', kind: 'count', by: ['STYPE'] }]],
  ['count by 35 groups', [{ id: 's', kind: 'count', by: ['AGEBAND', 'STYPE'] }]],
  ['mean by 5 levels', [{ id: 's', kind: 'mean', variable: 'AGE', by: ['STYPE'] }]],
  ['variance by 3 levels', [{ id: 's', kind: 'variance', variable: 'RSBP', by: ['RCONSC'] }]],
  ['correlation', [{ id: 's', kind: 'correlation', variables: ['AGE', 'RSBP'] }]],
  ['survival', [{ id: 's', kind: 'survival', variable: 'SURVIVAL' }]],
  [
    'one step of a logistic regression',
    [
      {
        ...{ id: 's', kind: 'logistic', outcome: { variable: 'ID14', level: '1' } },
        terms: [{ variable: 'AGE' }, { variable: 'SEX', level: 'M' }, { variable: 'RCONSC', level: 'U' }],
        coefficients: [0, 0, 0, 0],
      },
    ],
  ],
];
const NARROW = ['RXASP', 'ID14'];

/**
 * Jobs from submission to opened result: each statistic cold and warm, by stage, and how a 2x2 table's time grows with
 * patients and institutions; and how fast a large table is loaded. The holders' replay, which recomputes everybody's
 * batches, is a stage of its own.
 */
export const queryBench: Bench = {
  summary:
    'end-to-end time of every statistic, its growth, and the rate of loading; --quick for a small form',
  async run(progress, { quick }) {
    const size = quick ? QUICK : FULL;
    const trial = await readTrial();
    using memory = new Memory();
    const loaded = await loadingOf(trial, size.loaded, progress);
    const { rows, four } = await withStudy('query', BASE_PORT, progress, async (study) => {
      const ask: Ask = { study, watch: new Watch(study), rounds: size.rounds, progress };
      progress('encrypts the trial');
      await enterTrial(study, trial);
      const { rows: questions, table } = await questionRows(ask);
      const grown = await patientRows(ask, trial, size.patients, table);
      const four = await tableOf(ask, trial, patientsOfEach(trial));
      return { four, rows: [...questions, ...grown] };
    });
    const scaled = await institutionRows(trial, size, four, progress);
    const whole = row('peak memory of all processes', 'GiB', memory.peak / GIB, null, 'no peer');
    return [...rows, ...loaded, ...scaled, whole];
  },
};

/** Who asks, and how often. */
interface Ask {
  study: Study;
  watch: Watch;
  rounds: number;
  progress: (line: string) => void;
}

/** Samples what this process and all that it starts take. */
class Memory implements Disposable {
  peak = 0;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    const [name = '', value] = MARKER.split('=');
    process.env[name] = value;
    this.timer = setInterval(() => {
      void memoryOf(MARKER).then((started) => {
        this.peak = Math.max(this.peak, started + process.memoryUsage.rss());
      });
    }, SAMPLE_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }
}

async function questionRows(ask: Ask): Promise<{ rows: BenchRow[]; table: Timing }> {
  const rows: BenchRow[] = [];
  let table: Timing | undefined;
  const first = 'the first of its kind, cold';
  for (const [name, statistics] of QUESTIONS) {
    const { cold, warm } = await coldAndWarm(ask, 'study', statistics);
    table ??= warm;
    ask.progress(`${name}: ${cold.total.toFixed(1)} s cold, ${warm.total.toFixed(1)} s warm`);
    rows.push(
      row(`${name} (${warm.cells} numbers), warm`, 's', warm.total, cold.total, first),
      ...STAGES.map((stage) => row(`  ${stage}`, 's', warm.stages[stage], cold.stages[stage], first)),
    );
  }
  if (!table) throw new TypeError('a table is among the questions');
  const target = row(
    '2x2 table, warm, without replay, at its target',
    's',
    withoutReplay(table),
    TABLE_SECONDS,
    'target',
  );
  return { rows: [target, ...rows], table };
}

/** The first time a question is asked, and the quickest of those after it: whatever else the machine does only adds. */
async function coldAndWarm(
  { study, watch, rounds }: Ask,
  agreement: string,
  statistics: Statistics,
): Promise<{ cold: Timing; warm: Timing }> {
  const ask = (): Promise<Timing> =>
    timed(study, watch, agreement, statistics, () => processorTimeOf(MARKER));
  const cold = await ask();
  let warm: Timing | undefined;
  for (let round = 0; round < rounds; round++) {
    const timing = await ask();
    if (!warm || timing.total < warm.total) warm = timing;
  }
  if (!warm) throw new TypeError('there are rounds');
  return { cold, warm };
}

/** A warm 2x2 table over so many resampled patients of every hospital. */
async function tableOf(ask: Ask, trial: Trial, each: number): Promise<Timing> {
  ask.progress(`encrypts ${each} patients of each of ${ask.study.hospitals.length} hospitals`);
  const agreement = await enterResampled(ask.study, trial, each);
  return (await coldAndWarm(ask, agreement, TABLE)).warm;
}

const withoutReplay = ({ total, stages }: Timing): number => total - stages.replay;

const patientsOfEach = ({ all }: Trial): number => Math.floor(all.length / demo.HOSPITALS.length);

async function patientRows(
  ask: Ask,
  trial: Trial,
  sizes: readonly number[],
  smallest: Timing,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const peer = `${trial.all.length} patients`;
  for (const patients of sizes) {
    const warm = await tableOf(ask, trial, patients / ask.study.hospitals.length);
    ask.progress(`2x2 table of ${patients} patients: ${warm.total.toFixed(1)} s`);
    rows.push(
      row(`2x2 table of ${patients} patients, warm`, 's', warm.total, smallest.total, peer),
      row('  of which replay', 's', warm.stages.replay, smallest.stages.replay, peer),
      row('  without replay', 's', withoutReplay(warm), withoutReplay(smallest), peer),
    );
  }
  return rows;
}

async function institutionRows(
  trial: Trial,
  { institutions, rounds }: Size,
  four: Timing,
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const each = patientsOfEach(trial);
  const peer = `4 institutions of ${each} patients each, on the same cores`;
  for (const count of institutions) {
    const work = (study: Study): Promise<Timing> =>
      tableOf({ study, watch: new Watch(study), rounds, progress }, trial, each);
    const hospitals = demo.hospitalsOf(count);
    const timing = await withStudy('query-institutions', BASE_PORT, progress, work, hospitals);
    progress(`${count} institutions: ${timing.total.toFixed(1)} s`);
    rows.push(
      row(`2x2 table of ${count} institutions, warm`, 's', timing.total, four.total, peer),
      row('  of which replay', 's', timing.stages.replay, four.stages.replay, peer),
      row('  without replay', 's', withoutReplay(timing), withoutReplay(four), peer),
      // All institutions share this machine's cores; each would have so much to do on its own.
      row('  processor time of one institution', 's', timing.processor / count, four.processor / 4, peer),
      row('  cores busy', '', timing.processor / timing.total, four.processor / four.total, peer),
    );
  }
  return rows;
}

/** Enters so many resampled patients for every hospital, and returns the agreement over them. */
async function enterResampled(study: Study, trial: Trial, each: number): Promise<string> {
  const schema: Schema = narrowed(trial.schema, NARROW);
  const name = `resampled-${each}`;
  const datasets = await Promise.all(
    study.hospitals.map(async (_, owner) => {
      const datasetId = `${name}-${owner + 1}`;
      const rows = resampledRows(trial.all, each, owner * each);
      const { provenance } = trial;
      await study.load({ datasetId, title: `Resampled, part ${owner + 1}`, schema, provenance, owner, rows });
      return datasetId;
    }),
  );
  await study.agree(name, datasets, namesOf(schema));
  return name;
}

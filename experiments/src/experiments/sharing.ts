import { loadavg } from 'node:os';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dealTrial } from '@strokeshare/gateway-client/dist/demo/records.js';
import { plainRows } from '@strokeshare/gateway-client/dist/demo/plain.js';
import { csv, writeText } from '../output/csv.js';
import { svgOf } from '../output/figure.js';
import { machine, ROOT } from '../report.js';
import type { Experiment } from './index.js';
import type { Agreement } from './sharing/agreement.js';
import { CentralServer, type Groups } from './sharing/central.js';
import { sharingFigure } from './sharing/figure.js';
import { reading } from './sharing/reading.js';
import { medians, type Method, type Query, type SetupRow, type Temperature } from './sharing/rows.js';
import { Alliance, meanAge } from './sharing/strokeshare.js';
import { RESEARCHER } from './sharing/tls.js';

const HOSPITALS = 4;
const QUESTION = { purpose: 'DUO:0000007', variable: 'AGE', by: 'STYPE' };
/** The alliance's budget of released cells allows a few queries. */
const COUNTS = { StrokeShare: { cold: 3, warm: 4 }, other: { cold: 6, warm: 20 } };
const DAY_MS = 86_400_000;

type Progress = (line: string) => void;
type Dealt = Awaited<ReturnType<typeof dealTrial>>;

/** `npm run experiment -- sharing`. */
export const sharingExperiment: Experiment = {
  summary: 'the same data source by StrokeShare, by a centralised server and as a whole file',
  async run(progress) {
    const before = loadavg()[0] ?? 0;
    const dealt = await dealTrial(join(ROOT, 'data'), HOSPITALS);
    const expected = count(dealt);
    const setup: SetupRow[] = [];
    const queries: Query[] = [];
    const engine = await centralised(dealt, expected, queries, setup, progress);
    await alliance(expected, queries, setup, progress);
    const rows = medians(queries);
    const folder = join(ROOT, 'out', 'experiments', 'sharing');
    await writeText(join(folder, 'queries.csv'), csv(queries));
    await writeText(join(folder, 'medians.csv'), csv(rows));
    await writeText(join(folder, 'setup.csv'), csv(setup));
    await writeText(join(folder, 'sharing.svg'), await svgOf(sharingFigure(rows)));
    const facts = {
      engine,
      patients: dealt.all.length,
      load: [before, loadavg()[0] ?? 0] as const,
    };
    await writeText(join(folder, 'reading.md'), reading(rows, setup, facts, machine()));
    return {
      holds: true,
      summary:
        'all three ways gave the same answer; figures and their reading are in out/experiments/sharing',
    };
  },
};

/** The answer from the pooled records. */
function count({ schema, all }: Dealt): Groups {
  const query = {
    version: 1 as const,
    statistics: [{ id: 'age', kind: 'mean' as const, variable: QUESTION.variable, by: [QUESTION.by] }],
  };
  const rows = plainRows(
    query,
    schema,
    all.map(({ values }) => values),
  );
  return rows
    .filter(({ quantity }) => quantity === 'mean')
    .map(({ labels, measured }) => {
      const level = labels[QUESTION.by] ?? '';
      const counted = rows.find((row) => row.quantity === 'count' && row.labels[QUESTION.by] === level);
      return { level, count: counted?.measured.value ?? NaN, mean: measured.value };
    });
}

/** @throws Error unless two answers are the same */
function requireSame(method: Method, answer: Groups, expected: Groups, tolerance: number): void {
  const same =
    answer.length === expected.length &&
    expected.every(({ level, count: patients, mean }) => {
      const group = answer.find((candidate) => candidate.level === level);
      return group?.count === patients && Math.abs(group.mean - mean) <= tolerance;
    });
  if (!same)
    throw new Error(`${method} answered ${JSON.stringify(answer)}, not ${JSON.stringify(expected)}.`);
}

async function centralised(
  dealt: Dealt,
  expected: Groups,
  queries: Query[],
  setup: SetupRow[],
  progress: Progress,
): Promise<string> {
  const agreement: Agreement = {
    researcher: RESEARCHER,
    purpose: QUESTION.purpose,
    variables: [QUESTION.variable, QUESTION.by],
    statistics: ['count', 'mean'],
    from: Date.now() - DAY_MS,
    until: Date.now() + DAY_MS,
    minimumCohort: 20,
    releaseBudget: 10_000,
  };
  const patients = dealt.all.map(({ values }) => values);
  await using central = await CentralServer.start(
    agreement,
    patients,
    join(ROOT, 'data', 'IST_corrected.csv.gz'),
  );
  const { engine, loadSeconds } = central.ready;
  progress(`the centralised server is up: ${engine}`);
  setup.push({
    method: 'central server',
    what: 'loading all patients into one database',
    seconds: loadSeconds,
  });
  const timed = async (
    method: Method,
    temperature: Temperature,
    work: () => Promise<Groups>,
  ): Promise<void> => {
    central.proxy.take();
    const started = performance.now();
    const answer = await work();
    const milliseconds = performance.now() - started;
    queries.push({ method, temperature, milliseconds, bytes: central.proxy.take() });
    requireSame(method, answer, expected, 1e-9);
  };
  for (let i = 0; i < COUNTS.other.cold; i++) {
    await timed('central server', 'cold', async () => {
      using connection = central.connect();
      return await connection.ask(QUESTION);
    });
    let local = dealt;
    await timed('whole file', 'cold', async () => {
      using connection = central.connect();
      local = await readTrial(await connection.download());
      return count(local);
    });
    await timed('whole file', 'warm', () => Promise.resolve(count(local)));
  }
  using connection = central.connect();
  await connection.ask(QUESTION);
  for (let i = 0; i < COUNTS.other.warm; i++)
    await timed('central server', 'warm', () => connection.ask(QUESTION));
  const refusal = await connection.ask({ ...QUESTION, variable: 'RSBP' }).catch(String);
  if (!String(refusal).includes('VARIABLE_NOT_COVERED'))
    throw new Error('The centralised server does not keep to the agreement.');
  return engine;
}

/** Reads a downloaded table as a researcher does who has it. */
async function readTrial(bytes: Buffer): Promise<Dealt> {
  const folder = mkdtempSync(join(tmpdir(), 'trial-'));
  try {
    const file = join(folder, 'trial.csv.gz');
    await writeFile(file, bytes);
    return await dealTrial(join(ROOT, 'data'), HOSPITALS, file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function alliance(
  expected: Groups,
  queries: Query[],
  setup: SetupRow[],
  progress: Progress,
): Promise<void> {
  await using running = await Alliance.start(progress);
  for (const { name, seconds } of running.report.stages)
    if (/key|encrypt/.test(name)) setup.push({ method: 'StrokeShare', what: name, seconds });
  const timed = async (temperature: Temperature, work: () => ReturnType<typeof meanAge>): Promise<void> => {
    running.takeBytes();
    const started = performance.now();
    const { groups, tolerance } = await work();
    const milliseconds = performance.now() - started;
    queries.push({ method: 'StrokeShare', temperature, milliseconds, bytes: running.takeBytes() });
    requireSame('StrokeShare', groups, expected, tolerance);
    progress(`StrokeShare, ${temperature}: ${(milliseconds / 1000).toFixed(1)} s`);
  };
  for (let i = 0; i < COUNTS.StrokeShare.cold; i++)
    await timed('cold', async () => {
      using researcher = await running.connect();
      return await meanAge(researcher);
    });
  using researcher = await running.connect();
  await researcher.client.jobs.list({ limit: 1 });
  for (let i = 0; i < COUNTS.StrokeShare.warm; i++) await timed('warm', () => meanAge(researcher));
}

/** What an institution types about its datasets and keys, on agents whose ledger is in memory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { VersionAttestation } from '@strokeshare/chaincode';
import type { AnalysisQuery } from '@strokeshare/fhe';
import { Command } from 'commander';
import { openHolderKey } from '../src/agent/holder-key.js';
import { readOwnBatch } from '../src/agent/own-records.js';
import { datasetCommand } from '../src/cli/dataset.js';
import { keyCommand } from '../src/cli/key.js';
import type { Opening } from '../src/cli/opening.js';
import { openResult } from '../src/researcher/index.js';
import { MemoryAlliance, mspOf, PURPOSE } from './support/memoryAlliance.js';

const EACH = 30;
const MORE = 25;
let alliance: MemoryAlliance;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-datasets-'));
  alliance = await MemoryAlliance.start(2);
  await write('schema.json', {
    name: 'small',
    version: '1',
    variables: [{ name: 'AGE', kind: 'numeric', minimum: 0, maximum: 200 }],
  });
  await write('mapping.yaml', { fields: { AGE: { from: 'years' } } });
  for (const number of [1, 2])
    await write(`set-${number}.yaml`, {
      id: `set-${number}`,
      title: `Patients of ${mspOf(number)}`,
      epoch: 'epoch-1',
      schema: 'schema.json',
      mapping: 'mapping.yaml',
      minimumCohort: 20,
      conditions: [PURPOSE],
      patient: 'CODE',
    });
}, 120_000);
afterAll(async () => {
  await alliance?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => jest.restoreAllMocks());

const file = (name: string): string => join(folder, name);
const write = (name: string, value: unknown): Promise<void> =>
  writeFile(file(name), typeof value === 'string' ? value : JSON.stringify(value));
/** Patients by code and age. */
const table = (name: string, ages: Readonly<Record<string, number | string>>): Promise<void> =>
  write(name, ['CODE,years', ...Object.entries(ages).map(([code, age]) => `${code},${age}`)].join('\n'));
const agesOf = (prefix: string, size: number, first: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: size }, (_, i) => [`${prefix}${i}`, first + i]));
const sumOf = (...parts: Record<string, number>[]): number =>
  parts.flatMap((ages) => Object.values(ages)).reduce((sum, age) => sum + (age - 100) / 100, 0);

/** Runs a command as the shell would, and gives back what it printed. */
async function type(text: string): Promise<{ out: string; said: string }> {
  const out: string[] = [];
  const said: string[] = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
  jest.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
  const opening: Opening = {
    agent: async (name) => alliance.agent(Number(name.slice(-1))),
    auditor: async () => alliance.auditor,
  };
  const { signal } = new AbortController();
  const program = new Command('strokeshare')
    .addCommand(datasetCommand(signal, opening))
    .addCommand(keyCommand(signal, opening));
  try {
    const words = text.match(/"[^"]*"|\S+/g) ?? [];
    await program.parseAsync(
      words.map((word) => word.replaceAll('"', '').replace(/^@/, `${folder}/`)),
      { from: 'user' },
    );
  } finally {
    jest.restoreAllMocks();
  }
  return { out: out.join('\n'), said: said.join('') };
}
const as = (number: number): string => `--agent hospital${number}`;
const asJson = async <T>(text: string): Promise<T> => JSON.parse((await type(`${text} --json`)).out) as T;

const meanAge: AnalysisQuery = {
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }],
};
/** Asks as somebody whom nothing was released to before. */
async function askAs(mspId: string, jobId: string) {
  const researcher = await alliance.registered(mspId);
  await alliance.agree(mspId, { datasets: ['set-1', 'set-2'], variables: ['AGE'] }, researcher);
  expect((await alliance.run(jobId, meanAge, mspId, researcher)).state).toBe('RELEASED');
  return released(jobId, researcher);
}
/** What a released job says of all patients. */
async function released(
  jobId: string,
  researcher = alliance.researcher,
): Promise<{ count: number | undefined; error: number; sum: number }> {
  const { counts, values } = await openResult(researcher, jobId);
  const { value: sum = NaN, deviation: error = NaN } = values.get('AGE') ?? {};
  return { count: counts.get('_row'), sum, error };
}

const first = { one: agesOf('a', EACH, 40), two: agesOf('b', EACH, 50) };
const more = agesOf('c', MORE, 60);
const corrected = agesOf('c', MORE, 65);

test('a key is started, and shown while it is made', async () => {
  expect((await type(`key start epoch-1 --set additive ${as(1)}`)).out).toContain(
    'epoch-1: attempt 1 is open; 2 of 2 will release together.',
  );
  const open = (await type('key status epoch-1 --profile p')).out;
  expect(open).toMatch(/^epoch-1 {2}OPEN .* 2 of Hospital1MSP, Hospital2MSP\n {2}has to be complete by /);
  await alliance.settle();
  expect((await type('key status --profile p')).out).toMatch(/^epoch-1 {2}ACTIVE {5}attempt 1 {2}additive/);
  expect((await type('key status epoch-1 --profile p')).out).toMatch(/noise: 0 of \d+ coefficients reserved/);
  await expect(type(`key start epoch-1 ${as(1)}`)).rejects.toMatchObject({ contractCode: 'ALREADY_EXISTS' });
});

test('a table becomes a dataset, unless a row breaks a rule', async () => {
  await table('one.csv', first.one);
  await table('two.csv', { ...first.two, x1: 'old', x2: 999 });
  const { out } = await type(`dataset add @set-1.yaml @one.csv ${as(1)}`);
  expect(out).toMatch(
    /^set-1: version 1 \(FIRST\), 1 batch, 0 to 1000 patients, key epoch epoch-1, root [0-9a-f]{64}$/,
  );
  await expect(type(`dataset add @set-2.yaml @two.csv ${as(2)}`)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringMatching(
      /^2 rows of .*two.csv cannot be loaded \(line 32: AGE is not a number; line 33: AGE is outside 0 to 200\); --skip-rejected leaves them out\.$/,
    ),
  });
  const skipped = await type(`dataset add @set-2.yaml @two.csv --skip-rejected ${as(2)}`);
  expect(skipped.said).toContain('2 rows of');
  await expect(type(`dataset add @set-2.yaml @none.csv ${as(2)}`)).rejects.toMatchObject({
    code: 'FILE_MISSING',
  });
  await write('wrong.yaml', { id: 'set-3', title: 'No conditions' });
  await expect(type(`dataset add @wrong.yaml @one.csv ${as(1)}`)).rejects.toMatchObject({
    code: 'DATASET_FILE_INVALID',
  });

  await alliance.agree('a', { datasets: ['set-1', 'set-2'], variables: ['AGE'] });
  expect((await alliance.run('first', meanAge, 'a')).state).toBe('RELEASED');
  const { count, sum, error } = await released('first');
  expect(count).toBe(2 * EACH);
  expect(Math.abs(sum - sumOf(first.one, first.two))).toBeLessThan(8 * error);
});

test('patients are appended, and a batch is corrected', async () => {
  await table('more.csv', more);
  const appended = await asJson<VersionAttestation>(`dataset append @set-1.yaml @more.csv ${as(1)}`);
  expect(appended).toMatchObject({ version: 2, change: 'APPEND', batches: { length: 2 } });
  // Given once more, as after an interruption: nobody is counted twice.
  await expect(type(`dataset append @set-1.yaml @more.csv ${as(1)}`)).rejects.toMatchObject({
    message: 'The table is in the dataset set-1 already, in batch-0002.',
  });
  // Nor where another table has somebody again, with other values.
  await table('again.csv', { c3: 90, [`c${MORE}`]: 91 });
  await expect(type(`dataset append @set-1.yaml @again.csv ${as(1)}`)).rejects.toMatchObject({
    message: 'The dataset set-1 has 1 of these 2 patients already, in batch-0002: they would count twice.',
  });
  await expect(type(`dataset correct @set-1.yaml batch-0001 @again.csv ${as(1)}`)).rejects.toMatchObject({
    message: expect.stringContaining('in batch-0002: they would count twice.'),
  });
  // And a table of nobody is no version, neither in the place of a batch.
  await table('nobody.csv', {});
  for (const change of ['append @set-1.yaml', 'correct @set-1.yaml batch-0001'])
    await expect(type(`dataset ${change} @nobody.csv ${as(1)}`)).rejects.toMatchObject({
      message: 'There are no records for the dataset set-1.',
    });
  expect((await alliance.run('appended', meanAge, 'a')).state).toBe('RELEASED');
  const { count, sum, error } = await released('appended');
  expect(count).toBe(2 * EACH + MORE);
  expect(Math.abs(sum - sumOf(first.one, first.two, more))).toBeLessThan(8 * error);

  await table('corrected.csv', corrected);
  const { out } = await type(`dataset correct @set-1.yaml batch-0002 @corrected.csv ${as(1)}`);
  expect(out).toContain('version 3 (CORRECTION), 2 batches');
  // How the batch differs may be the matter of a few: whoever knows the sum before does not learn the one after.
  expect((await alliance.run('repeated', meanAge, 'a')).state).toBe('SUPPRESSED');
  const after = await askAs('OtherMSP', 'corrected');
  expect(after.count).toBe(count);
  expect(Math.abs(after.sum - sumOf(first.one, first.two, corrected))).toBeLessThan(8 * after.error);
  await expect(type(`dataset correct @set-1.yaml batch-0002 @corrected.csv ${as(1)}`)).rejects.toMatchObject({
    message: 'The current version of set-1 has no batch batch-0002.',
  });
  // Nobody changes what is another's.
  await expect(type(`dataset append @set-1.yaml @more.csv ${as(2)}`)).rejects.toMatchObject({
    message: 'The dataset set-1 of Hospital1MSP is ACTIVE: Hospital2MSP cannot change it.',
  });
});

test('patients who withdraw are taken out, running jobs included, and the results that used them are listed', async () => {
  const agreementId = 'agreement-a';
  const { jobs } = alliance.researcher.client;
  await jobs.submit({ jobId: 'running', agreementId, purpose: PURPOSE, query: meanAge });
  await write('withdrawn.txt', 'a3\n\nc7\nnobody\n');
  const { out, said } = await type(`dataset consent set-1 --patients @withdrawn.txt ${as(1)}`);
  expect(out.split('\n')).toEqual([
    expect.stringContaining('set-1: 2 patients taken out; version 4 (CONSENT), 2 batches'),
    'No version before it is used any more, by running jobs neither.',
    'Jobs that used these records; what they released cannot be taken back:',
    expect.stringMatching(
      /^ {2}appended {2}RELEASED {2}version 2 {2}by ResearchMSP\/.* under agreement-a, 20/,
    ),
    expect.stringMatching(/^ {2}corrected {2}RELEASED {2}version 3 {2}by OtherMSP/),
    expect.stringMatching(/^ {2}first {2}RELEASED {2}version 1 /),
    expect.stringMatching(/^ {2}repeated {2}SUPPRESSED {2}version 3 /),
    expect.stringMatching(/^ {2}running {2}SUBMITTED {2}version 3 /),
  ]);
  expect(said).toContain('The dataset has no patient of the name in line 4 of');
  expect(process.exitCode).toBe(1);
  process.exitCode = undefined;
  await alliance.settle();
  expect(await jobs.get({ jobId: 'running' })).toMatchObject({
    state: 'REFUSED',
    refusal: { code: 'DATASET_NOT_AVAILABLE' },
  });
  for (const batchId of ['batch-0001', 'batch-0003'])
    await expect(readOwnBatch(alliance.agent(1), { datasetId: 'set-1', batchId })).rejects.toMatchObject({
      code: 'FILE_MISSING',
    });
  const { current } = await alliance.auditor.datasets.get({ datasetId: 'set-1' });
  const kept = await Promise.all(
    current!.batches.map(({ batchId }) => readOwnBatch(alliance.agent(1), { datasetId: 'set-1', batchId })),
  );
  expect(kept.map(({ patients }) => patients.length)).toEqual([EACH - 1, MORE - 1]);
  expect(kept.flatMap(({ patients }) => patients)).not.toContain('a3');
  // Two patients fewer than before: the difference would be theirs.
  expect((await alliance.run('difference', meanAge, 'a')).state).toBe('SUPPRESSED');
});

test('datasets move to the next key, and are of no use until all have moved', async () => {
  await type(`key start epoch-2 --set additive --members Hospital1MSP Hospital2MSP --threshold 2 ${as(2)}`);
  await alliance.settle();
  const moved = await asJson<VersionAttestation>(`dataset move set-1 epoch-2 ${as(1)}`);
  expect(moved).toMatchObject({ version: 5, change: 'EPOCH', epochId: 'epoch-2' });
  expect(await alliance.run('between', meanAge, 'a')).toMatchObject({
    state: 'REFUSED',
    refusal: { code: 'EPOCH_NOT_ACTIVE', reason: 'The dataset set-2 is of another key epoch.' },
  });
  await type(`dataset move set-2 epoch-2 ${as(2)}`);
  const { count, sum, error } = await askAs('ThirdMSP', 'moved');
  // Without the two who withdrew, and with the corrected batch.
  expect(count).toBe(2 * EACH + MORE - 2);
  const { a3: _, ...one } = first.one;
  const { c7: __, ...others } = corrected;
  expect(Math.abs(sum - sumOf(one, first.two, others))).toBeLessThan(8 * error);

  const retired = await type(`key retire epoch-1 --reason "All have moved." ${as(2)}`);
  expect(retired.out).toBe('epoch-1 is RETIRED: nothing is computed under its key any more.');
  await alliance.settle();
  for (const agent of alliance.agents)
    await expect(openHolderKey(agent, 'epoch-1')).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  await expect(type(`dataset move set-2 epoch-1 ${as(2)}`)).rejects.toMatchObject({
    message: 'The key epoch epoch-1 is RETIRED, so nothing is encrypted.',
  });
});

test('a dataset is withdrawn, and everybody reads what was shared', async () => {
  const { out } = await type(`dataset withdraw set-2 --reason "The study has ended." ${as(2)}`);
  expect(out).toMatch(/^set-2 is withdrawn: nothing uses it any more.\nJobs that used these records;/);
  expect(await alliance.run('gone', meanAge, 'a')).toMatchObject({
    refusal: { code: 'DATASET_NOT_AVAILABLE', reason: 'The dataset set-2 is not available.' },
  });
  const list = (await type('dataset list --profile p')).out.split('\n');
  expect(list).toEqual([
    'set-1  Hospital1MSP  ACTIVE      version 5  epoch-2  Patients of Hospital1MSP',
    'set-2  Hospital2MSP  WITHDRAWN   version 2  epoch-2  Patients of Hospital2MSP',
  ]);
  const shown = (await type('dataset show set-1 --profile p')).out;
  for (const change of ['FIRST', 'APPEND', 'CORRECTION', 'CONSENT', 'EPOCH'])
    expect(shown).toContain(`(${change})`);
  expect(await asJson(`dataset show set-2 --profile p`)).toMatchObject({
    status: 'WITHDRAWN',
    versions: { length: 2 },
    withdrawal: { reason: 'The study has ended.' },
  });
});

/** The centralised server that sharing is compared with: real, over TLS, under the same agreement. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteEngine } from '../src/experiments/sharing/engine.js';
import { CentralServer } from '../src/experiments/sharing/central.js';

const patients = Array.from({ length: 100 }, (_, i) => ({
  AGE: i % 10 === 0 ? null : 40 + (i % 50),
  STYPE: i < 95 ? (i % 2 ? 'LACS' : 'PACS') : 'TACS',
  DEAD: i % 3 === 0,
}));
const agreement = {
  researcher: 'researcher1',
  purpose: 'DUO:0000007',
  variables: ['AGE', 'STYPE'],
  statistics: ['count', 'mean'],
  from: 0,
  until: Date.now() + 3_600_000,
  minimumCohort: 20,
  releaseBudget: 8,
};
const question = { purpose: 'DUO:0000007', variable: 'AGE', by: 'STYPE' };
const expected = ['LACS', 'PACS'].map((level) => {
  const ages = patients.flatMap(({ AGE, STYPE }) => (STYPE === level && AGE !== null ? [AGE] : []));
  return { level, count: ages.length, mean: ages.reduce((sum, age) => sum + age, 0) / ages.length };
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'central-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('answers within the agreement, without small groups, and refuses in the contract’s words', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'the whole file');
  const central = await CentralServer.start(agreement, patients, file);
  try {
    using connection = central.connect();
    const answer = await connection.ask(question);
    expect(answer).toEqual(
      expected.map(({ mean, ...group }) => ({ ...group, mean: expect.closeTo(mean, 9) as number })),
    );
    expect((await connection.download()).toString()).toBe('the whole file');
    expect(central.proxy.take()).toBeGreaterThan(1000);
    const refused = async (change: object) => connection.ask({ ...question, ...change }).catch(String);
    expect(await refused({ variable: 'DEAD' })).toContain('VARIABLE_NOT_COVERED');
    expect(await refused({ purpose: 'DUO:0000042' })).toContain('PURPOSE_NOT_COVERED');
    await connection.ask(question);
    expect(await refused({})).toContain('BUDGET_EXHAUSTED');
  } finally {
    await central[Symbol.asyncDispose]();
  }
});

test('SQLite, where there is no PostgreSQL, counts the same', async () => {
  const engine = sqliteEngine(join(folder, 'patients.sqlite'));
  await engine.load(patients);
  const groups = await engine.groups('AGE', 'STYPE');
  expect(groups.filter(({ count }) => count >= 20)).toMatchObject(
    expected.map(({ level, count }) => ({ level, count })),
  );
  await engine.close();
});

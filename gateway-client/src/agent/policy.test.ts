import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgreementView, JobView } from '@strokeshare/chaincode';
import { FilePolicy, writePolicyFile } from './policy-file.js';
import { boundedPolicy, type PolicyBounds } from './policy.js';

const bounds: PolicyBounds = {
  minimumOwnCount: 5,
  dominancePercent: 10,
  purposes: ['DUO:0000007'],
  minimumCohort: 20,
  releaseBudget: 100,
  days: 90,
  jobs: 'automatic',
  cellsPerJob: 30,
};
const policy = boundedPolicy(bounds);

function agreement(change: Partial<AgreementView['content']['permission']>): AgreementView {
  const permission = {
    purpose: 'DUO:0000007',
    minimumCohort: 20,
    releaseBudget: 100,
    from: '2026-01-01T00:00:00Z',
    until: '2026-04-01T00:00:00Z',
    ...change,
  };
  return { content: { permission } } as AgreementView;
}

test('signs within all bounds', () => {
  expect(policy.decide(agreement({}))).toEqual({ answer: 'sign' });
});

test.each([
  [{ purpose: 'DUO:0000042' }, 'the purpose is DUO:0000042'],
  [{ minimumCohort: 19 }, 'groups of 19 patients may be released, below 20'],
  [{ releaseBudget: 101 }, '101 cells may be released, more than 100'],
  [{ until: '2026-04-01T00:00:01Z' }, 'it lasts 91 days, more than 90'],
])('waits for a person at %j, and says why', (change, reason) => {
  expect(policy.decide(agreement(change))).toEqual({ answer: 'wait', reasons: [reason] });
});

const jobOf = (cells: number): JobView => ({ cells: Array.from({ length: cells }) }) as unknown as JobView;

test('a job goes on by itself up to its bound of cells, and never where a person is asked about all', () => {
  expect(policy.objectionsTo(jobOf(30))).toEqual([]);
  expect(policy.objectionsTo(jobOf(31))).toEqual(['it has 31 cells, more than 30']);
  const step = { ...jobOf(1), vector: { length: 30 } } as JobView;
  expect(policy.objectionsTo(step)).toEqual(['it has 31 cells, more than 30']);
  expect(boundedPolicy({ ...bounds, jobs: 'ask' }).objectionsTo(jobOf(1))).toEqual([
    'a person is asked about every job',
  ]);
});

test("the institution's file is read anew before every decision, and decides nothing while it is wrong", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strokeshare-policy-'));
  const path = join(folder, 'policy.yaml');
  try {
    await writePolicyFile(path, bounds);
    const text = await readFile(path, 'utf8');
    expect(text).toContain('# Longest period of an agreement, in days.\ndays: 90');
    const file = await FilePolicy.open(path);
    await expect(file.decide(agreement({}))).resolves.toEqual({ answer: 'sign' });
    await writeFile(
      path,
      text
        .replace('minimumCohort: 20', 'minimumCohort: 50')
        .replace('minimumOwnCount: 5', 'minimumOwnCount: 9'),
    );
    await expect(file.decide(agreement({}))).resolves.toMatchObject({ answer: 'wait' });
    expect(file.minimumOwnCount).toBe(9);
    for (const wrong of ['days: [', text.replace('days: 90', 'days: many'), `${text}\nallow: everything\n`]) {
      await writeFile(path, wrong);
      await expect(file.objectionsTo(jobOf(1))).rejects.toMatchObject({ code: 'POLICY_INVALID' });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

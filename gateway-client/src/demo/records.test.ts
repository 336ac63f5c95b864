import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseQuery } from '@strokeshare/fhe';
import { readJobFile, type ResultRow } from '../researcher/index.js';
import { plainRows } from './plain.js';
import { publishedFigure } from './published.js';
import { dealTrial, type DealtRecords } from './records.js';

const PROJECT = join(__dirname, '..', '..', '..');
const DATA = join(PROJECT, 'data');
let trial: DealtRecords;
beforeAll(async () => {
  trial = await dealTrial(DATA, 4);
});

const rowsOf = async (name: string): Promise<ResultRow[]> => {
  const { query } = await readJobFile(join(PROJECT, 'examples', 'jobs', `${name}.yaml`));
  return plainRows(
    parseQuery(query),
    trial.schema,
    trial.all.map(({ values }) => values),
  );
};
const valueOf = (rows: ResultRow[], quantity: string, labels: object): number | undefined =>
  rows.find((row) => row.quantity === quantity && JSON.stringify(row.labels) === JSON.stringify(labels))
    ?.measured?.value;

test('all patients are read, and whole countries are dealt', () => {
  expect(trial.all).toHaveLength(19_435);
  expect(trial.hospitals.map((patients) => patients.length)).toEqual([6_257, 4_388, 4_393, 4_397]);
  const homes = new Map<string, Set<number>>();
  trial.hospitals.forEach((patients, hospital) =>
    patients.forEach(({ group = '' }) => homes.set(group, (homes.get(group) ?? new Set()).add(hospital))),
  );
  expect(homes.size).toBe(36);
  expect([...homes.values()].every((hospitals) => hospitals.size === 1)).toBe(true);
});

test('a plain copy of the table may stand in for the packed one; an altered one shows its hash', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strokeshare-trial-'));
  try {
    const path = join(folder, 'altered.csv');
    await writeFile(path, 'HOSPNUM\r\n1\r\n');
    await expect(dealTrial(DATA, 4, path)).rejects.toMatchObject({
      code: 'FILE_ALTERED',
      message: expect.stringMatching(/its SHA-256 is [0-9a-f]{64} instead of a4b2f3d9/),
    });
    await expect(dealTrial(DATA, 4, join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_MISSING' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

// Truths: pandas 2 on the same file, `groupby(...).AGE.mean()` and `.RSBP.var(ddof=1)`.
test('the plain computation gives the figures of an independent tool', async () => {
  const age = await rowsOf('age-by-stroke-subtype');
  expect(valueOf(age, 'mean', { STYPE: 'TACS' })).toBeCloseTo(74.21259163432514, 10);
  expect(valueOf(age, 'mean', { STYPE: 'OTH' })).toBeCloseTo(68.03508771929825, 10);
  const pressure = await rowsOf('pressure-by-consciousness');
  expect(valueOf(pressure, 'count', { RCONSC: 'U' })).toBe(260);
  expect(valueOf(pressure, 'variance', { RCONSC: 'U' })).toBeCloseTo(908.3793287793288, 9);
  expect(valueOf(pressure, 'variance', { RCONSC: 'F' })).toBeCloseTo(746.8472575402931, 9);
  expect(valueOf(pressure, 'mean', { RCONSC: 'D' })).toBeCloseTo(157.81828866948754, 10);
});

test('every published figure is reproduced to the digits that were printed', async () => {
  const rows = [...(await rowsOf('age-by-stroke-subtype')), ...(await rowsOf('aspirin-and-death'))];
  const published = rows.flatMap((row) => {
    const figure = publishedFigure(row);
    return figure === undefined ? [] : [{ row, figure }];
  });
  expect(published).toHaveLength(7);
  for (const { row, figure } of published) {
    const digits = row.quantity === 'count' ? 0 : 3;
    expect(Number(row.measured!.value.toFixed(digits))).toBe(figure);
  }
});

/** From a job file's statistics to their results: the cells of the whole trial, unencrypted, beside the oracles. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parameterSet, parseSchema, type PatientRecord, type Schema } from '@strokeshare/fhe';
import { loadRecords, readCheckedFile, readMapping } from '../src/load/index.js';
import {
  cellsInTheClear,
  parseJobFile,
  requireComputable,
  resultRows,
  type ReleasedCells,
  type ResultRow,
} from '../src/researcher/index.js';
import { expectClose, Oracle } from './oracles/oracle.js';

const DATA = join(__dirname, '..', '..', 'data');
const HASH = 'a4b2f3d90afff7dd0dfe1cfee46f32117ca4260bba65dc6dac8ab51d11760f21';
const truth = Oracle.ist();

const JOB = parseJobFile(
  `name: everything
title: Every statistic
agreement: a
purpose: DUO:0000007
query:
  version: 1
  statistics:
    - { id: patients, kind: count }
    - { id: share, kind: proportion, event: ID14, by: [RXASP] }
    - { id: death, kind: risk, exposure: RXASP, event: ID14 }
    - { id: dependent, kind: risk, exposure: RXASP, event: { variable: OCCODE, levels: ['1', '2'] } }
    - { id: heparin, kind: risk, exposure: { variable: RXHEP, exposed: [L, M], unexposed: [N] }, event: H14 }
    - { id: table, kind: chiSquare, rows: STYPE, columns: RCONSC }
    - { id: two, kind: chiSquare, rows: RXASP, columns: ID14 }
    - { id: mh, kind: mantelHaenszel, exposure: RXASP, event: ID14, strata: STYPE }
    - { id: fixed, kind: fixedEffect, exposure: RXASP, event: ID14, strata: SEX }
    - { id: pressure, kind: tTest, variable: RSBP, exposure: ID14, level: 0.9 }
    - { id: groups, kind: anova, variable: RSBP, group: STYPE }
    - { id: one, kind: summary, variable: RSBP, by: [ID14] }
    - { id: matrix, kind: pearson, variables: [AGE, RSBP, RDELAY] }
    - { id: line, kind: linearRegression, outcome: RSBP, numbers: [AGE, RDELAY], groups: [SEX] }
    - { id: curve, kind: kaplanMeier, variable: SURVIVAL, by: [STYPE], interval: logLog }
    - { id: shift, kind: shift, exposure: RXASP, scale: OCCODE, order: ['4', '3', '2', '1'] }
    - { id: care, kind: composite, measures: [RXASP, RATRIAL] }
    - { id: age, kind: quantiles, variable: AGEBAND, edges: [16, 40, 50, 60, 70, 80, 90, 100], probabilities: [0.5] }
`,
  'everything.yaml',
);

const inTheClear = ({ query }: typeof JOB) =>
  cellsInTheClear(query, schema, records, parameterSet('standard'), {
    holders: 4,
    threshold: 3,
    institutions: 1,
    batches: 3,
  });

const jobOf = (statistic: string): string => `name: a
title: a
agreement: a
purpose: DUO:0000007
query:
  version: 1
  statistics: [${statistic}]
`;

let schema: Schema;
let records: PatientRecord[];
let result: ReleasedCells;
let rows: ResultRow[];
beforeAll(async () => {
  const study = parseSchema(JSON.parse(await readFile(join(DATA, 'schemas', 'ist-study.json'), 'utf8')));
  const grid = truth.items('survival', 'TACS', 'points').map((point) => point.number('time'));
  schema = {
    ...study,
    variables: study.variables.map((v) => (v.kind === 'timeToEvent' ? { ...v, grid } : v)),
  };
  const mapping = await readMapping(join(DATA, 'mappings', 'ist-study.yaml'));
  const bytes = await readCheckedFile(join(DATA, 'IST_corrected.csv.gz'), [HASH]);
  const table = await loadRecords(bytes, { schema, mapping });
  records = table.records.map(({ values }) => values);
  result = inTheClear(JOB);
  rows = resultRows(result, JOB.analyses);
});

function value(statistic: string, quantity: string, labels: Record<string, string> = {}): number {
  const found = rows.filter(
    (row) =>
      row.statistic === statistic &&
      row.quantity === quantity &&
      Object.keys(row.labels).length === Object.keys(labels).length &&
      Object.entries(labels).every(([name, level]) => row.labels[name] === level),
  );
  if (found.length !== 1 || !found[0]?.measured)
    throw new Error(
      `${statistic} ${quantity} ${JSON.stringify(labels)}: ${found.length} rows, ${found[0]?.note ?? ''}`,
    );
  return found[0].measured.value;
}

test('all numbers of the trial are there, and nothing is kept back', () => {
  expect(records).toHaveLength(19_435);
  expect(value('patients', 'count')).toBe(truth.number('counts', 'patients'));
  expect(rows.filter(({ note }) => note === 'kept back')).toEqual([]);
});

test('risks of both arms, with every measure', () => {
  for (const [id, table] of [
    ['death', 0],
    ['dependent', 1],
  ] as const) {
    const item = truth.at('twoByTwo', table);
    ['oddsRatio', 'oddsRatioLower', 'oddsRatioUpper'].forEach((quantity, i) =>
      expectClose(value(id, quantity), item.number('oddsRatio', i)),
    );
    ['riskRatio', 'riskRatioLower', 'riskRatioUpper'].forEach((quantity, i) =>
      expectClose(value(id, quantity), item.number('riskRatio', i)),
    );
    expectClose(value(id, 'riskDifferenceLower'), item.number('riskDifference', 'newcombe', 0));
    expectClose(value(id, 'statistic', { test: 'z' }), item.number('zTest', 'statistic'));
    expectClose(value(id, 'pValue', { test: 'Fisher' }), item.number('fisher', 'two-sided'));
  }
  expect(value('death', 'count', { RXASP: 'Y', ID14: '1' })).toBe(872);
  expect(value('dependent', 'count', { RXASP: 'N', OCCODE: '1+2' })).toBe(6125);
  expect(value('heparin', 'count', { RXHEP: 'L+M', H14: '1' })).toBe(120);
  const [lower, upper] = truth.numbers('proportion', 0, 'wilson');
  expectClose(value('share', 'proportionLower', { RXASP: 'Y', ID14: '1' }), lower!);
  expectClose(value('share', 'proportionUpper', { RXASP: 'Y', ID14: '1' }), upper!);
});

test('tests of tables, within strata and pooled', () => {
  expectClose(value('table', 'statistic', { test: 'Pearson' }), truth.number('chiSquare', 'statistic'));
  expectClose(
    value('two', 'smallestExpected', { test: 'Pearson' }),
    Math.min(...truth.table('twoByTwo', 0, 'chiSquare', 'expected').flat()),
  );
  expectClose(value('two', 'pValue', { test: 'Yates' }), truth.number('twoByTwo', 0, 'yates', 'pValue'));
  expectClose(value('mh', 'oddsRatio'), truth.number('mantelHaenszel', 'estimate'));
  expectClose(
    value('mh', 'pValue', { test: 'Breslow-Day' }),
    truth.number('mantelHaenszel', 'breslowDay', 'pValue'),
  );
  expectClose(
    value('mh', 'pValue', { test: 'Breslow-Day-Tarone' }),
    truth.number('mantelHaenszel', 'tarone', 'pValue'),
  );
  expectClose(
    value('mh', 'statistic', { test: 'Cochran-Mantel-Haenszel, corrected' }),
    truth.number('mantelHaenszel', 'continuity', 'statistic'),
  );
  const [men, women, pooled] = [{ SEX: 'M' }, { SEX: 'F' }, { pooled: 'all' }].map((labels) =>
    value('fixed', 'oddsRatio', labels as Record<string, string>),
  );
  expect(Math.min(men!, women!) <= pooled! && pooled! <= Math.max(men!, women!)).toBe(true);
});

test('statistics of numbers', () => {
  const t = truth.at('tTest', 'unequal');
  const labels = { ID14: '1 - 0' };
  expectClose(value('pressure', 'statistic', labels), t.number('statistic'));
  expectClose(value('pressure', 'meanDifferenceUpper', labels), t.number('interval', 1));
  expectClose(
    value('groups', 'statistic', { test: 'one-way' }),
    truth.number('anova', 'classic', 'statistic'),
  );
  expectClose(value('groups', 'pValue', { test: 'Welch' }), truth.number('anova', 'welch', 'pValue'));
  expectClose(value('one', 'sum', { ID14: '1' }), truth.number('mean', 'sum'));
  expectClose(value('one', 'meanLower', { ID14: '1' }), truth.number('mean', 'interval', 0));
  expectClose(value('matrix', 'correlation', { pair: 'AGE, RSBP' }), truth.number('correlation', 'estimate'));
});

test('linear regression from sums, in the units of the records', () => {
  const item = truth.at('linearRegression');
  const at = { intercept: 0, AGE: 1, 'SEX=M': 2, RDELAY: 3 };
  for (const [term, i] of Object.entries(at)) {
    expectClose(value('line', 'coefficient', { term }), item.number('coefficients', i), 1e-8);
    expectClose(value('line', 'standardError', { term }), item.number('standardErrors', i), 1e-8);
    expectClose(value('line', 'pValue', { term }), item.number('pValues', i), 1e-6);
  }
  expectClose(value('line', 'rSquared'), item.number('rSquared'), 1e-8);
  expectClose(value('line', 'adjustedRSquared'), item.number('adjustedRSquared'), 1e-8);
  expectClose(value('line', 'residualStandardError'), Math.sqrt(item.number('residualVariance')), 1e-8);
  expectClose(value('line', 'statistic', { test: 'F' }), item.number('overall', 'statistic'), 1e-6);
});

test('survival, its test, and the shift of the outcome', () => {
  truth.numbers('survival', 'TACS', 'survival').forEach((survival, i) => {
    const time = truth.number('survival', 'TACS', 'points', i, 'time');
    const labels = { STYPE: 'TACS', SURVIVAL: String(time) };
    expectClose(value('curve', 'survival', labels), survival);
    expectClose(value('curve', 'survivalUpper', labels), truth.number('survival', 'TACS', 'logLog', i, 1));
  });
  expectClose(value('curve', 'statistic', { test: 'log-rank' }), truth.number('logRank', 'statistic'));
  expectClose(value('shift', 'commonOddsRatio'), truth.number('commonOddsRatio', 'estimate'), 1e-5);
  expect(value('age', 'quantileLower', { probability: '0.5' })).toBe(70);
});

test('the composite is what was done of all that could be done, each measure beside it', () => {
  const done = records.map(({ RXASP, RATRIAL }) => [RXASP, RATRIAL].filter((code) => code !== null));
  const opportunities = done.flat();
  const met = opportunities.filter((code) => code === 'Y').length;
  expectClose(value('care', 'proportion', { measure: 'all opportunities' }), met / opportunities.length);
  // The pilot did not record fibrillation: no opportunity.
  expect(value('care', 'patients', { measure: 'RATRIAL' })).toBe(opportunities.length - records.length);
  expect(value('care', 'count', { measure: 'RXASP' })).toBe(9720);
});

test('a one-sided test has an interval without a bound on one side', () => {
  const job = parseJobFile(
    jobOf('{ id: x, kind: tTest, variable: AGE, exposure: SEX, alternative: less }'),
    'a.yaml',
  );
  const found = resultRows(inTheClear(job), job.analyses);
  expect(found.find(({ quantity }) => quantity === 'meanDifferenceLower')).toMatchObject({
    measured: null,
    note: 'not bounded',
  });
  expect(found.find(({ quantity }) => quantity === 'meanDifferenceUpper')?.note).toBeUndefined();
  const pairs = '{ id: x, kind: pearson, variables: [AGE, RSBP], alternative: greater }';
  const greater = parseJobFile(jobOf(pairs), 'a.yaml');
  const bound = resultRows(inTheClear(greater), greater.analyses).find(
    ({ quantity }) => quantity === 'correlationUpper',
  );
  expect(bound?.measured?.value).toBe(1);
});

test.each([
  [
    'a level in both groups',
    '{ id: x, kind: risk, exposure: { variable: RXHEP, exposed: [L, M], unexposed: [N, M] }, event: ID14 }',
  ],
  ['a level twice', '{ id: x, kind: shift, exposure: RXASP, scale: OCCODE, order: ["4", "3", "3"] }'],
])('%s is refused, for its patients would count twice', (_, statistic) => {
  expect(() => parseJobFile(jobOf(statistic), 'a.yaml')).toThrow(/must not/);
});

test('a part whose cell was kept back says so, and no other', () => {
  const cell = result.plan.statistics.find(({ id }) => id === 'mh')!.rows[0]!.count;
  const less: ReleasedCells = {
    ...result,
    counts: new Map([...result.counts].filter(([id]) => id !== cell)),
  };
  const kept = resultRows(less, JOB.analyses).filter(({ note }) => note === 'kept back');
  expect(new Set(kept.map(({ statistic }) => statistic))).toEqual(new Set(['mh']));
  expect(kept.every(({ measured }) => measured === null)).toBe(true);
});

test('a curve ends where an interval was kept back, and says so behind it', () => {
  const curve = result.plan.statistics.find(({ id }) => id === 'curve')!;
  if (curve.kind !== 'survival') throw new TypeError('a curve is of survival');
  const group = curve.rows.find(({ labels }) => labels['STYPE'] === 'TACS')!;
  const lost = 3;
  const counts = new Map([...result.counts].filter(([id]) => id !== group.points[lost]!.censored));
  const found = resultRows({ ...result, counts }, JOB.analyses).filter((row) => row.statistic === 'curve');
  const survival = found.filter(
    ({ quantity, labels }) => quantity === 'survival' && labels['STYPE'] === 'TACS',
  );
  survival
    .slice(0, lost)
    .forEach(({ measured }, i) =>
      expectClose(measured!.value, truth.number('survival', 'TACS', 'survival', i)),
    );
  const behind = survival.slice(lost).map(({ measured, note }) => [measured, note]);
  expect(behind).toEqual(group.points.slice(lost).map(() => [null, 'kept back']));
  const others = found.filter(({ labels, note }) => labels['STYPE'] === 'LACS' && note === 'kept back');
  expect(others).toEqual([]);
  // A median may lie behind; the test compares all.
  const all = found.filter(({ labels }) => labels['STYPE'] === 'TACS' || labels['test'] === 'log-rank');
  for (const quantity of ['medianSurvival', 'statistic'])
    expect(all.find((row) => row.quantity === quantity)?.note).toBe('kept back');
});

test('a median is told where its upper bound lies behind what was kept back', () => {
  const curve = result.plan.statistics.find(({ id }) => id === 'curve')!;
  if (curve.kind !== 'survival') throw new TypeError('a curve is of survival');
  const { count, points } = curve.rows.find(({ labels }) => labels['STYPE'] === 'TACS')!;
  // Half of all die in the first interval; the second is not told.
  const counts = new Map(result.counts).set(points[0]!.events, result.counts.get(count)! / 2);
  counts.delete(points[1]!.events);
  const found = resultRows({ ...result, counts }, JOB.analyses).filter(
    (row) => row.statistic === 'curve' && row.labels['STYPE'] === 'TACS' && /^median/.test(row.quantity),
  );
  expect(found.map(({ quantity, measured, note }) => [quantity, measured?.value ?? note])).toEqual([
    ['medianSurvival', points[0]!.time],
    ['medianSurvivalLower', points[0]!.time],
    ['medianSurvivalUpper', 'kept back'],
  ]);
});

test('levels and bins that there are not are refused by name, before anything is released', () => {
  const job = parseJobFile(
    jobOf('{ id: x, kind: risk, exposure: RXASP, event: { variable: ID14, levels: [dead] } }'),
    'a.yaml',
  );
  const { plan } = inTheClear(job);
  expect(() => requireComputable(plan, job.analyses)).toThrow(
    expect.objectContaining({
      code: 'JOB_FILE_INVALID',
      message: expect.stringMatching(/: dead; there are 1, 0\.$/),
    }),
  );
  const bins = '{ id: x, kind: quantiles, variable: AGEBAND, edges: [16, 40, 100], probabilities: [0.5] }';
  const binned = parseJobFile(jobOf(bins), 'a.yaml');
  expect(() => requireComputable(inTheClear(binned).plan, binned.analyses)).toThrow(
    'x has 3 edges: the 7 levels of its variable have 8.',
  );
  expect(() => parseJobFile(jobOf(bins.replace('40', '101')), 'a.yaml')).toThrow(/edges: must rise/);
  // Who left out the level of the dead would see a shift among the living.
  const order = '{ id: x, kind: shift, exposure: RXASP, scale: OCCODE, order: ["4", "3", "2"] }';
  const living = parseJobFile(jobOf(order), 'a.yaml');
  expect(() => requireComputable(inTheClear(living).plan, living.analyses)).toThrow(
    'The order of x leaves out 1: these patients would not count.',
  );
  expect(() => requireComputable(result.plan, JOB.analyses)).not.toThrow();
});

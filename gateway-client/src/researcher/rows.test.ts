import { packColumns, parameterSet, parseSchema, plan, type Query } from '@strokeshare/fhe';
import fc from 'fast-check';
import { plainRows } from '../demo/plain.js';
import { exact } from '../statistics/index.js';
import type { JobResult } from './result.js';
import { resultRows } from './analysis/index.js';

const set = parameterSet('standard');
const schema = parseSchema({
  name: 'small',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99, missing: true },
    { name: 'ARM', kind: 'categorical', levels: ['Y', 'N'].map((code) => ({ code, label: code })) },
    { name: 'DEAD', kind: 'boolean' },
    { name: 'TYPE', kind: 'categorical', levels: ['A', 'B', 'C'].map((code) => ({ code, label: code })) },
  ],
});
const query: Query = {
  version: 1,
  statistics: [
    { id: 'all', kind: 'count' },
    { id: 'age', kind: 'variance', variable: 'AGE', by: ['TYPE'] },
    { id: 'mean', kind: 'mean', variable: 'AGE' },
    { id: 'table', kind: 'crosstab', rows: 'ARM', columns: 'DEAD' },
    { id: 'wide', kind: 'crosstab', rows: 'ARM', columns: 'TYPE' },
  ],
};

type Patient = { AGE: number | null; ARM: string; DEAD: boolean; TYPE: string };
/** Three patients with an age in every type and every cell of the table, so that every statistic is defined. */
const base: Patient[] = ['A', 'B', 'C'].flatMap((TYPE) =>
  ['Y', 'N'].flatMap((ARM) =>
    [true, false].map((DEAD) => ({ AGE: 50 + TYPE.charCodeAt(0) / 10, ARM, DEAD, TYPE })),
  ),
);
const patient = fc.record<Patient>({
  AGE: fc.option(fc.integer({ min: 16, max: 99 })),
  ARM: fc.constantFrom('Y', 'N'),
  DEAD: fc.boolean(),
  TYPE: fc.constantFrom('A', 'B', 'C'),
});

/** What a release without error would give: every cell as the sum of its columns' products. */
function released(patients: Patient[]): JobResult {
  const made = plan(query, [schema], set, { holders: 4, threshold: 3, institutions: 1, batches: 1 });
  const [batch] = packColumns(schema, patients, set).batches;
  const sums = made.cells.map(({ id, kind, factors }) => {
    const columns = factors.map((name) => batch!.columns.get(name)!);
    const sum = columns[0]!.reduce(
      (total, _, row) => total + columns.reduce((p, column) => p * column[row]!, 1),
      0,
    );
    return { id, kind, sum };
  });
  const cells = (kind: string) => sums.filter((cell) => cell.kind === kind);
  return {
    plan: made,
    set,
    job: {} as JobResult['job'],
    provenance: {} as JobResult['provenance'],
    variables: [],
    counts: new Map(cells('count').map(({ id, sum }) => [id, Math.round(sum)])),
    values: new Map(cells('value').map(({ id, sum }) => [id, exact(sum)])),
  };
}

test('statistics from cells are those of the plain computation', () => {
  fc.assert(
    fc.property(fc.array(patient, { maxLength: 60 }), (more) => {
      const patients = [...base, ...more];
      const rows = resultRows(released(patients));
      const plain = plainRows(query, schema, patients);
      expect(rows.map(({ statistic, quantity, labels }) => [statistic, quantity, labels])).toEqual(
        plain.map(({ statistic, quantity, labels }) => [statistic, quantity, labels]),
      );
      rows.forEach(({ measured }, index) =>
        expect(measured!.value).toBeCloseTo(plain[index]!.measured.value, 7),
      );
    }),
    { numRuns: 40 },
  );
});

test('a group of one patient has a mean and no variance, and the rest of the result is there', () => {
  const alone: Patient = { AGE: 70, ARM: 'Y', DEAD: true, TYPE: 'B' };
  const rows = resultRows(released([...base.filter(({ TYPE }) => TYPE !== 'B'), alone]));
  const own = rows.filter(({ statistic, labels }) => statistic === 'age' && labels['TYPE'] === 'B');
  expect(own.map(({ quantity, measured, note }) => [quantity, measured?.value, note])).toEqual([
    ['count', 1, undefined],
    ['mean', expect.closeTo(70, 9), undefined],
    ['variance', undefined, expect.stringMatching(/two patients/)],
  ]);
  // As a hospital tries a question on its own records, where nothing is kept back.
  const nobody = resultRows(released(base.filter(({ TYPE, DEAD }) => TYPE !== 'B' && !DEAD)));
  const noted = nobody.filter(({ note }) => note !== undefined);
  expect(noted.map(({ statistic, quantity }) => `${statistic} ${quantity}`)).toEqual([
    'age mean',
    'age variance',
    ...['oddsRatio', 'oddsRatioLower', 'oddsRatioUpper'].map((quantity) => `table ${quantity}`),
  ]);
});

test('a group that was kept back is null, and so is what needs it', () => {
  const result = released(base);
  const withheld = result.plan.statistics.find(({ id }) => id === 'table')!.rows[0]!.count;
  result.counts.delete(withheld);
  const rows = resultRows(result).filter(({ statistic }) => statistic === 'table');
  // Programs that read JSON are told why, as people are.
  const nulls = rows.filter(({ measured }) => measured === null);
  expect(nulls.map(({ quantity, note }) => `${quantity}: ${note}`)).toEqual(
    ['count', 'proportion', 'oddsRatio', 'oddsRatioLower', 'oddsRatioUpper'].map(
      (one) => `${one}: kept back`,
    ),
  );
  const arm = resultRows(released(base.filter(({ ARM }) => ARM === 'Y')));
  expect(
    arm.find(({ quantity, labels }) => quantity === 'proportion' && labels['ARM'] === 'N')?.note,
  ).toMatch(/^The proportion is not defined/);
});

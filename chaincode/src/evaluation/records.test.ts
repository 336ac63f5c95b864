import { canonicalJson } from '@strokeshare/fhe';
import fc from 'fast-check';
import { type Job, type JobCell, MAXIMUM_CELLS } from '../api/jobs.js';
import { MAXIMUM_VALUE_BYTES } from '../ledger/limits.js';
import { oversizedRecord } from './records.js';

const HASH = 'f'.repeat(64);
const base64 = (bytes: number): string => Buffer.alloc(bytes, 255).toString('base64');
/** HPKE's encapsulated key and tag. */
const SEAL_BYTES = 1120 + 16;

const cells = fc
  .record({
    count: fc.integer({ min: 1, max: MAXIMUM_CELLS }),
    length: fc.integer({ min: 4, max: 800 }),
    values: fc.boolean(),
    primes: fc.integer({ min: 2, max: 4 }),
  })
  .map(({ count, length, values, primes }) =>
    Array.from({ length: count }, (_, i): JobCell => {
      const id = String(i).padStart(length, 'x');
      return {
        id,
        kind: values && i % 2 === 1 ? 'value' : 'count',
        countCell: id,
        primes,
        scale: { numerator: '9'.repeat(43), denominator: '9'.repeat(37) },
      };
    }),
  );
const names = (maximum: number) =>
  fc.nat(maximum).map((n) => Array.from({ length: n + 2 }, (_, i) => `Institution${i}MSP`));

/** Every record that a job of this size has in the end, at its largest. */
function recordsOf(job: {
  query: unknown;
  cells: readonly JobCell[];
  datasets: readonly { datasetId: string; owner: string }[];
  members: readonly string[];
  threshold: number;
}): Record<string, unknown> {
  const counts = job.cells.filter(({ kind }) => kind === 'count');
  const values = job.cells.filter(({ kind }) => kind === 'value');
  const bundle = (some: readonly JobCell[]) =>
    Object.fromEntries(some.map(({ id, primes }) => [id, base64(8 * primes)]));
  const sealed = (some: readonly JobCell[]): string =>
    base64(SEAL_BYTES + JSON.stringify(bundle(some)).length);
  const at = '2026-11-22T12:00:00.000Z';
  const byCell = <T>(some: readonly JobCell[], value: T) =>
    Object.fromEntries(some.map(({ id }) => [id, value]));
  const owners = [...new Set(job.datasets.map(({ owner }) => owner))];
  const committee = job.members.map((mspId, i) => ({ mspId, index: i + 1 })).slice(0, job.threshold);
  const own: Partial<Job> = {
    researcherId: 'r'.repeat(300),
    affiliation: 'a'.repeat(300),
    agreementDigest: HASH,
    query: job.query as Job['query'],
    participants: owners,
    included: owners,
    versions: Object.fromEntries(
      job.datasets.map(({ datasetId }) => [datasetId, { version: 999_999, merkleRoot: HASH }]),
    ),
    datasets: job.datasets.map(({ datasetId }) => datasetId),
    planHash: HASH,
    cells: [...job.cells],
    committee,
    counting: { round: 9, committee },
    silent: [...job.members],
    outcomes: byCell(job.cells, { status: 'SUPPRESSED' as const, count: 999_999_999 }),
    cancellation: { reason: 'x'.repeat(2000), at },
  };
  return {
    job: own,
    partials: { partials: byCell(job.cells, HASH), withheld: [], at },
    countShares: {
      sealed: Object.fromEntries(committee.slice(1).map(({ mspId }) => [mspId, sealed(counts)])),
      at,
    },
    verdict: { verdicts: byCell(counts, 'suppress'), signature: base64(72), at },
    opened: { shares: bundle(counts), at },
    valueShares: { sealed: sealed(values), at },
  };
}

it('accepts no job of which a record would not fit the ledger later', () => {
  let accepted = 0;
  fc.assert(
    fc.property(cells, names(100), names(30), fc.integer({ min: 2, max: 12 }), (some, owners, members, t) => {
      const datasets = owners.map((owner) => ({ owner, datasetId: `dataset-of-${owner}` }));
      const query = { version: 1, statistics: [], text: 'x'.repeat(some.length) };
      const job = { query, cells: some, datasets, members, threshold: Math.min(t, members.length) };
      if (oversizedRecord(job) !== undefined) return true;
      accepted += 1;
      const sizes = Object.entries(recordsOf(job)).map(
        ([name, record]) => [name, Buffer.byteLength(canonicalJson(record))] as const,
      );
      return sizes.every(([, bytes]) => bytes <= MAXIMUM_VALUE_BYTES);
    }),
    { numRuns: 200 },
  );
  expect(accepted).toBeGreaterThan(0);
});

it('refuses what would only just not fit, and says what that is', () => {
  const cell = (id: string): JobCell => ({
    id,
    kind: 'count',
    countCell: id,
    primes: 2,
    scale: { numerator: '1', denominator: '1' },
  });
  const job = (length: number, count: number) => ({
    query: {},
    cells: Array.from({ length: count }, (_, i) => cell(String(i).padStart(length, 'x'))),
    datasets: [{ datasetId: 'd', owner: 'O' }],
    members: ['O'],
    threshold: 1,
  });
  expect(oversizedRecord(job(20, 100))).toBeUndefined();
  expect(oversizedRecord(job(400, 100))).toBe('the sealed shares of its counts');
  const values = {
    ...job(80, 200),
    cells: job(80, 200).cells.map((one) => ({ ...one, kind: 'value' as const })),
  };
  expect(oversizedRecord(values)).toBe('the job itself');
});

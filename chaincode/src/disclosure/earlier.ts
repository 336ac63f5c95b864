/**
 * What an affiliation has had of a dataset before: one record for each job and dataset, written when the counts are
 * closed. Two researchers of one affiliation are one here; researchers of different ones are not compared.
 */
import { type Job, type ReleaseRecord } from '../api/jobs.js';
import { type Researcher } from '../api/researchers.js';
import { releases } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Refused } from '../permission/decide.js';
import { type Cohort, cohortKey, indicatorsOf } from './cohorts.js';
import { type KnownCount } from './suppression.js';

/** So many results of one dataset an affiliation may have: a job is compared with every one of them. */
export const MAXIMUM_RESULTS = 100;
/** So often the same number of the same cohort is released to one affiliation. */
export const MAXIMUM_REPEATS = 10;

/** A researcher's organisation and what the registry says of the affiliation within it. */
export const affiliationOf = ({ mspId, affiliation }: Pick<Researcher, 'mspId' | 'affiliation'>): string =>
  `${mspId}/${affiliation.trim().toLowerCase()}`;

type Asking = Pick<Job, 'affiliation'> & { readonly datasets: readonly string[] };

/** Results of any of the datasets, each once; `full` names a dataset with as many as are compared. */
export async function readEarlier(
  ledger: Ledger,
  { affiliation, datasets }: Asking,
): Promise<{ known: KnownCount[]; full: string | undefined }> {
  const found = new Map<string, ReleaseRecord>();
  let full: string | undefined;
  for (const datasetId of datasets) {
    const known = new Set(found.keys());
    const records = await ledger.range(releases, [datasetId, affiliation], MAXIMUM_RESULTS, known);
    if (records.seen === MAXIMUM_RESULTS) full ??= datasetId;
    for (const record of records.items) found.set(record.jobId, record);
  }
  const known = [...found.values()].flatMap(({ data, counts }) =>
    Object.entries(counts).map(([cell, { count, numbers }]): KnownCount => ({ cell, data, count, numbers })),
  );
  return { known, full };
}

/** Enters the counts of a job that passed, under every dataset that is in it. */
export async function noteRelease(
  ledger: Ledger,
  { jobId, affiliation }: Pick<Job, 'jobId' | 'affiliation'>,
  released: readonly KnownCount[],
): Promise<void> {
  const [first] = released;
  if (!first) return;
  const counts = Object.fromEntries(
    released.map(({ cell, count, numbers }) => [cell, { count, numbers: [...numbers] }]),
  );
  for (const datasetId of Object.keys(first.data))
    await ledger.put(releases, { jobId, data: first.data, counts }, datasetId, affiliation, jobId);
}

/** Why a job may not be submitted because of what was released before. */
export function refuseRepeats(
  asked: readonly Cohort[],
  { known, full }: { known: readonly KnownCount[]; full: string | undefined },
): Refused | undefined {
  if (full !== undefined)
    return {
      code: 'RESULTS_EXHAUSTED',
      reason: `The affiliation has had ${MAXIMUM_RESULTS} results of the dataset ${full}; more are not compared.`,
    };
  const key = ({ cell, data }: Cohort): string => cohortKey(indicatorsOf(cell), data);
  const worn = asked.find((cohort) => {
    const same = known.filter((other) => key(other) === key(cohort));
    const often = (of: readonly KnownCount[]): boolean => of.length >= MAXIMUM_REPEATS;
    return cohort.numbers.length === 0
      ? often(same)
      : cohort.numbers.some((name) => often(same.filter(({ numbers }) => numbers.includes(name))));
  });
  return (
    worn && {
      code: 'REPEATED_RELEASE',
      reason: `The affiliation has had the cell ${worn.cell} of the same patients ${MAXIMUM_REPEATS} times.`,
    }
  );
}

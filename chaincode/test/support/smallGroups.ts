/** An alliance whose patients of type TACS are few, in every institution and in all. */
import type { Query } from '@strokeshare/fhe';
import type { JobView } from '../../src/index.js';
import type { Alliance } from './alliance.js';
import { cohort } from './cohorts.js';

export const byType: Query = {
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE', by: ['STYPE'] }],
};
export const cohorts = [cohort(90, 1), cohort(80, 2), cohort(70, 3)].map((records, i) =>
  records.filter(({ STYPE }, k) => STYPE !== 'TACS' || k < 9 + i),
);
export const patients = cohorts.flat();
export const cellOf = (type: string): string => `STYPE=${type}`;
export const idsOf = (job: JobView): string[] => job.cells.map(({ id }) => id);

/** A job by type whose partials are posted and added. */
export async function aggregated(
  alliance: Alliance,
  jobId: string,
  withheld: readonly string[] = [],
): Promise<JobView> {
  const job = await alliance.submit(jobId, byType);
  for (const [i, member] of alliance.institutions.entries())
    await alliance.evaluate(job, member, i === 0 ? withheld : []);
  await alliance.aggregate(
    job,
    idsOf(job).filter((id) => !withheld.includes(id)),
  );
  return alliance.get(jobId);
}

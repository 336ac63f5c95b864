/** Which versions of which datasets are in a job. */
import { type Dataset } from '../api/datasets.js';
import { type Job } from '../api/jobs.js';

/** Dataset to root. */
export const rootsOf = (
  datasets: Iterable<Pick<Dataset, 'datasetId' | 'merkleRoot'>>,
): Record<string, string> =>
  Object.fromEntries([...datasets].map(({ datasetId, merkleRoot }) => [datasetId, merkleRoot]));

/** The same for a job, of those institutions alone that answered. */
export const includedRoots = (
  { included, participants }: Pick<Job, 'included' | 'participants'>,
  datasets: Iterable<Pick<Dataset, 'datasetId' | 'merkleRoot' | 'owner'>>,
): Record<string, string> =>
  rootsOf([...datasets].filter(({ owner }) => (included ?? participants).includes(owner)));

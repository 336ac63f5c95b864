/**
 * Ask for access.
 *
 * A researcher names datasets, variables, statistics, the purpose (Data Use Ontology), a period, the smallest group and
 * how many numbers may be released in all. Nothing is granted by that: the owners of the data sign an agreement, or not.
 *
 * Run: node examples/client/02-ask-for-access.ts
 */
import { connect, LedgerError } from '@strokeshare/gateway-client';
import { PERMISSION, PURPOSE, RESEARCHER, signal } from './alliance.ts';

const DAY = 86_400_000;
using connection = await connect(RESEARCHER);
const { permissions, datasets } = connection.researcher();
const all = (await datasets.list({}, { signal })).items.filter(({ status }) => status === 'ACTIVE');

try {
  await permissions.request(
    {
      permissionId: PERMISSION,
      datasets: all.map(({ datasetId }) => datasetId),
      variables: ['AGE', 'STYPE'],
      statistics: ['count', 'mean'],
      purpose: PURPOSE,
      use: { diseases: ['MONDO:0005098'] },
      from: new Date(Date.now() - 60_000).toISOString(),
      until: new Date(Date.now() + 30 * DAY).toISOString(),
      minimumCohort: 20,
      releaseBudget: 50,
    },
    { signal },
  );
} catch (error) {
  // An id can be taken once: an example may be run twice.
  if (!(error instanceof LedgerError && error.contractCode === 'ALREADY_EXISTS')) throw error;
}
const { state, variables } = await permissions.get({ permissionId: PERMISSION }, { signal });
console.log(`${PERMISSION}: ${state}, for ${variables.join(', ')}`);

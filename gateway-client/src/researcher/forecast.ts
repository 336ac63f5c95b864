import { parameterSet, plan, planVariables, type AnalysisPlan } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { requireComputable } from './analysis/index.js';
import type { JobFile } from './job-file.js';
import type { ResearcherContext } from './open.js';

/** What a question will take and give, before anything is sent. */
export interface Forecast {
  plan: AnalysisPlan;
  /** Institutions whose datasets it reads. */
  institutions: string[];
  batches: number;
  parameterSet: string;
  /** Cells that it would charge to the agreement, and how many are left. */
  releases: { needed: number; left: number };
  /** Rho, in millionths, that it would spend, where the agreement has a privacy budget. */
  privacy?: { needed: number; left: number };
  /** Cells below this count are kept back. */
  minimumCohort: number;
  /** Why the contract will refuse it, as far as that can be told from here. */
  objections: string[];
}

/**
 * Plans a question from what the ledger says: the agreement, its datasets' schemas and the key epoch. Nothing is
 * submitted.
 *
 * @throws LedgerError where the agreement or a dataset is not there; ClientError `RESULT_INVALID` for a dataset without
 *   a version, `JOB_FILE_INVALID` for a statistic that names what its variables do not have; FheError where the question
 *   has no plan.
 */
export async function forecast(
  { client, signal }: ResearcherContext,
  { agreement: agreementId, query, purpose, analyses }: JobFile,
): Promise<Forecast> {
  const agreement = await client.agreements.get({ agreementId }, { signal });
  const { permission } = agreement.content;
  const datasets = await Promise.all(
    permission.datasets.map(async (datasetId) => {
      const { current, ...dataset } = await client.datasets.get({ datasetId }, { signal });
      if (!current) throw new ClientError('RESULT_INVALID', `The dataset ${datasetId} has no version yet.`);
      return { ...dataset, ...current };
    }),
  );
  const epochId = datasets[0]?.epochId ?? '';
  const epoch = await client.epochs.get({ epochId }, { signal });
  const institutions = [...new Set(datasets.map(({ owner }) => owner))].sort();
  const batches = datasets.reduce((sum, dataset) => sum + dataset.batches.length, 0);
  const made = plan(
    query,
    datasets.map(({ schema }) => schema),
    parameterSet(epoch.parameterSet),
    {
      holders: epoch.members.length,
      threshold: epoch.threshold,
      institutions: institutions.length,
      batches,
    },
  );
  requireComputable(made, analyses);
  const needed = made.cells.length + (made.vector?.format.length ?? 0);
  const left = permission.releaseBudget - agreement.reserved;
  const values = made.cells.filter(({ kind }) => kind === 'value').length;
  const privacy = permission.privacy && {
    needed: values * permission.privacy.perValue,
    left: permission.privacy.budget - agreement.spentMicroRho,
  };
  return {
    plan: made,
    institutions,
    batches,
    parameterSet: epoch.parameterSet,
    releases: { needed, left },
    ...(privacy && { privacy }),
    minimumCohort: permission.minimumCohort,
    objections: [
      agreement.state === 'ACTIVE' ? [] : [`the agreement is ${agreement.state}`],
      permission.purpose === purpose ? [] : [`the agreement is for ${permission.purpose}`],
      notIn(
        'statistic',
        query.statistics.map(({ kind }) => kind),
        permission.statistics,
      ),
      notIn('variable', planVariables(query), permission.variables),
      needed > left ? [`it needs ${needed} releases and ${left} are left`] : [],
      privacy && privacy.needed > privacy.left ? ['the privacy budget does not suffice'] : [],
    ].flat(),
  };
}

function notIn(what: string, used: readonly string[], agreed: readonly string[]): string[] {
  return [...new Set(used)]
    .filter((name) => !agreed.includes(name))
    .map((name) => `the agreement does not cover the ${what} ${name}`);
}

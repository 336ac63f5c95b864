/** From the key epoch to an active agreement: what happens before the first job. */
import { createHash } from 'node:crypto';
import type { ParameterSetName } from '@strokeshare/fhe';
import { enroll, foundConsortium, publishDataset, type Agent } from '../agent/index.js';
import { untilDefined } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { register, requestAccess, type ResearcherContext } from '../researcher/index.js';
import {
  AGREED_VARIABLES,
  AGREEMENT_DAYS,
  AGREEMENT_ID,
  CONDITIONS,
  DISEASE,
  EPOCH_ID,
  KEY_THRESHOLD,
  MINIMUM_COHORT,
  PARAMETER_SET,
  PERMISSION_ID,
  PURPOSE,
  RELEASE_BUDGET,
  type Hospital,
} from './consortium.js';
import { ATTRIBUTION, type DealtRecords } from './records.js';
import type { Progress } from './stages.js';

const DAY_MS = 86_400_000;

/** The agreement's text; its hash is what is signed. */
const AGREEMENT_TEXT = `The hospitals of the demo let the researcher compute counts, means, variances and tables of
${AGREED_VARIABLES.join(', ')} over their parts of the International Stroke Trial, for research on stroke.
No group below ${MINIMUM_COHORT} patients is released. ${ATTRIBUTION}`;

/** Enters all hospitals and the researcher. */
export async function enrollAll(
  hospitals: readonly Hospital[],
  agents: readonly Agent[],
  researcher: ResearcherContext,
): Promise<void> {
  const [first] = agents;
  if (!first) throw new TypeError('the demo has agents');
  await foundConsortium(first.context, {
    members: hospitals.map(({ mspId }) => ({ mspId, level: 'municipal' })),
    rule: 'majority',
  });
  await Promise.all([
    ...agents.map(({ context }) =>
      enroll(context, {
        name: hospitals.find(({ mspId }) => mspId === context.mspId)?.name ?? context.mspId,
      }),
    ),
    register(researcher, { name: 'Researcher 1', affiliation: 'Stroke research group of the demo' }),
  ]);
}

/** Opens the key epoch and waits until the agents, which follow the ledger, have made the key. */
export async function makeKey(
  [first, ...others]: readonly Agent[],
  parameterSet: ParameterSetName = PARAMETER_SET,
): Promise<void> {
  if (!first) throw new TypeError('the demo has agents');
  const { consortium, signal } = first.context;
  await consortium.epochs.open(
    {
      epochId: EPOCH_ID,
      parameterSet,
      threshold: KEY_THRESHOLD,
      members: [first, ...others].map(({ context }) => context.mspId),
    },
    { signal },
  );
  await untilDefined(first.events, signal, async () => {
    const { state, abort } = await consortium.epochs.get({ epochId: EPOCH_ID }, { signal });
    if (state === 'ABORTED') {
      throw new ClientError(
        'CEREMONY_FAILED',
        `The key ceremony was aborted: ${abort?.reason ?? 'no reason given'}`,
      );
    }
    return state === 'ACTIVE' || undefined;
  });
}

/** Lets every hospital encrypt its own patients and enter batches and dataset. */
export async function publishAll(
  hospitals: readonly Hospital[],
  agents: readonly Agent[],
  { schema, hospitals: dealt, provenance }: DealtRecords,
  progress: Progress,
): Promise<void> {
  const done = new Map<string, [number, number]>();
  const show = (): void => {
    const pairs = [...done.values()];
    const [columns, all] = [0, 1].map((part) => pairs.reduce((sum, pair) => sum + (pair[part] ?? 0), 0));
    progress((columns ?? 0) / (all ?? 1), `${columns} of ${all} columns`);
  };
  await Promise.all(
    agents.map(({ context }, index) => {
      const hospital = hospitals[index];
      const records = dealt[index];
      if (!hospital || !records) throw new TypeError('every hospital has an agent and patients');
      return publishDataset(
        context,
        {
          datasetId: hospital.datasetId,
          title: `International Stroke Trial, countries of ${hospital.name}`,
          epochId: EPOCH_ID,
          schema,
          records: records.map(({ values }) => values),
          minimumCohort: MINIMUM_COHORT,
          conditions: CONDITIONS,
          patients: records.map(({ line }) => `line ${line}`),
          provenance,
        },
        (columns, all) => {
          done.set(context.mspId, [columns, all]);
          show();
        },
      );
    }),
  );
}

/** The researcher asks, the first hospital proposes, and all sign by their policies. */
export async function agree(
  hospitals: readonly Hospital[],
  [first]: readonly Agent[],
  researcher: ResearcherContext,
): Promise<void> {
  if (!first) throw new TypeError('the demo has agents');
  const { consortium, signal } = first.context;
  const now = Date.now();
  await requestAccess(researcher, {
    permissionId: PERMISSION_ID,
    datasets: hospitals.map(({ datasetId }) => datasetId),
    variables: AGREED_VARIABLES,
    statistics: ['count', 'mean', 'variance', 'crosstab', 'logistic'],
    purpose: PURPOSE,
    use: { diseases: [DISEASE] },
    // The ledger's clock may be a little behind this one.
    from: new Date(now - 60_000).toISOString(),
    until: new Date(now + AGREEMENT_DAYS * DAY_MS).toISOString(),
    minimumCohort: MINIMUM_COHORT,
    releaseBudget: RELEASE_BUDGET,
  });
  await consortium.agreements.propose(
    {
      agreementId: AGREEMENT_ID,
      permissionId: PERMISSION_ID,
      textHash: createHash('sha256').update(AGREEMENT_TEXT).digest('hex'),
      terms: AGREEMENT_TEXT,
    },
    { signal },
  );
  await untilDefined(researcher.events, signal, async () => {
    const { state } = await researcher.client.agreements.get({ agreementId: AGREEMENT_ID }, { signal });
    if (state === 'REFUSED') throw new ClientError('POLICY_REFUSED', 'A hospital refused the agreement.');
    return state === 'ACTIVE' || undefined;
  });
}

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  digestOf,
  signDetached,
  type AgreementContent,
  type AgreementView,
  type JobView,
} from '@strokeshare/chaincode';
import { requireCovered } from './agreements.js';
import type { AgentContext } from './context.js';

const OWNERS = ['Hospital1MSP', 'Hospital2MSP'];
const DAY = 86_400_000;
const keys = OWNERS.map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const content: AgreementContent = {
  type: 'strokeshare/agreement',
  agreementId: 'agreement-1',
  version: 1,
  textHash: '1'.repeat(64),
  terms: 'Counts.',
  owners: OWNERS,
  permission: {
    permissionId: 'permission-1',
    datasets: ['ist-1', 'ist-2'],
    variables: ['AGE', 'SEX'],
    statistics: ['count', 'mean'],
    purpose: 'DUO:0000007',
    from: new Date(Date.now() - DAY).toISOString(),
    until: new Date(Date.now() + DAY).toISOString(),
    minimumCohort: 20,
    releaseBudget: 10,
    researcherId: 'ResearchMSP/CN=alice',
    requestedAt: new Date(Date.now() - DAY).toISOString(),
  },
};
const signed = (of: AgreementContent): AgreementView['signatures'] =>
  Object.fromEntries(
    OWNERS.map((owner, i) => [
      owner,
      {
        signature: signDetached(of, keys[i]!.privateKey),
        digest: digestOf(of),
        at: of.permission.requestedAt,
      },
    ]),
  );
const job = {
  jobId: 'job-1',
  agreementId: 'agreement-1',
  agreementDigest: digestOf(content),
  researcherId: 'ResearchMSP/CN=alice',
  datasets: ['ist-1', 'ist-2'],
  purpose: 'DUO:0000007',
  minimumCohort: 20,
  query: { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE', by: ['SEX'] }] },
} as unknown as JobView;

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const BEGINNING = new Date(Date.now() - 2 * DAY).toISOString();

function check(
  changes: Partial<JobView>,
  view: Partial<AgreementView> = {},
  signingKeys = keys.map(({ publicKey }) => [{ signingKey: pem(publicKey), from: BEGINNING }]),
) {
  const agreement = {
    agreementId: 'agreement-1',
    content,
    state: 'ACTIVE',
    signatures: signed(content),
    ...view,
  };
  const institutions = OWNERS.map((mspId, i) => ({ mspId, signingKeys: signingKeys[i] }));
  const context = {
    agreements: new Map(),
    consortium: {
      agreements: { get: async () => agreement },
      institutions: { list: async () => ({ items: institutions }) },
    },
  } as unknown as AgentContext;
  return requireCovered(context, { ...job, ...changes });
}

describe('what an agent asks of an agreement before it acts', () => {
  it('is that all owners signed it, that it is in force, and that it covers the job', async () => {
    await expect(check({})).resolves.toMatchObject({ agreementId: 'agreement-1' });
  });

  const variance = { version: 1, statistics: [{ id: 'v', kind: 'variance', variable: 'AGE' }] };
  const other = {
    version: 1,
    statistics: [{ id: 'n', kind: 'count' }],
    where: [{ variable: 'X', level: '1' }],
  };
  it.each<[string, object]>([
    ['researcher', { researcherId: 'ResearchMSP/CN=mallory' }],
    ['datasets', { datasets: ['ist-1', 'ist-2', 'ist-3'] }],
    ['purpose', { purpose: 'DUO:0000006' }],
    ['minimum cohort', { minimumCohort: 5 }],
    ['statistics', { query: variance }],
    ['variables', { query: other }],
  ])('refuses a job whose %s it does not cover, whatever the ledger says', async (what, changes) => {
    await expect(check(changes)).rejects.toMatchObject({
      code: 'POLICY_REFUSED',
      message: `The agreement agreement-1 does not cover the ${what} of job job-1.`,
    });
  });

  it('refuses what is suspended, another agreement, and a content that the owners did not sign', async () => {
    await expect(check({}, { state: 'SUSPENDED' })).rejects.toThrow('is SUSPENDED');
    await expect(check({ agreementDigest: '0'.repeat(64) })).rejects.toThrow(
      'not the one that the job names',
    );
    const wider = { ...content, permission: { ...content.permission, minimumCohort: 2 } };
    await expect(
      check({ agreementDigest: digestOf(wider), minimumCohort: 2 }, { content: wider }),
    ).rejects.toThrow('no valid signature of Hospital1MSP');
  });

  it('accepts what an owner signed with a key that it has rotated since, and no signature from after that', async () => {
    const [first, second] = keys.map(({ publicKey }) => pem(publicKey));
    const other = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    const rotatedAt = (until: string) => [
      [
        { signingKey: first!, from: BEGINNING, until },
        { signingKey: other, from: until },
      ],
      [{ signingKey: second!, from: BEGINNING }],
    ];
    const signedAt = Date.parse(content.permission.requestedAt);
    const after = rotatedAt(new Date(signedAt + 1).toISOString());
    await expect(check({}, {}, after)).resolves.toMatchObject({ agreementId: 'agreement-1' });
    const before = rotatedAt(new Date(signedAt).toISOString());
    await expect(check({}, {}, before)).rejects.toThrow('no valid signature of Hospital1MSP');
  });
});

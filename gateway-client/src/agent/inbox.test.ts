import { generateKeyPairSync } from 'node:crypto';
import { digestOf, verifyDetached, type AgreementContent, type JobView } from '@strokeshare/chaincode';
import { agreementStep } from './agreements.js';
import type { AgentContext, AgentEvent } from './context.js';
import { approve, inbox, mayTakePart, refuse } from './inbox.js';
import { boundedPolicy, policyBounds } from './policy.js';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const content = {
  type: 'strokeshare/agreement',
  agreementId: 'stroke',
  version: 1,
  owners: ['Hospital1MSP'],
  permission: {
    researcherId: 'ResearchMSP/CN=alice',
    ...{ datasets: ['ist-1'], variables: ['AGE'], statistics: ['count'], purpose: 'DUO:0000007' },
    ...{ from: '2026-01-01T00:00:00Z', until: '2026-04-01T00:00:00Z' },
    ...{ minimumCohort: 20, releaseBudget: 500 },
  },
} as unknown as AgreementContent;

/** An agent with one agreement above its bound of releases, and one job that has more cells than go by themselves. */
function agent(change: { cellsPerJob?: number } = {}) {
  const stored = new Map<string, unknown>();
  const events: AgentEvent[] = [];
  const answered: Record<string, unknown>[] = [];
  const signatures: Record<string, unknown> = {};
  const agreement = () => ({
    ...{ agreementId: 'stroke', state: 'PROPOSED', content, digest: digestOf(content), signatures },
  });
  const answer = async (request: Record<string, unknown>) => {
    answered.push(request);
    signatures['Hospital1MSP'] = request;
  };
  const job = {
    ...{ jobId: 'stroke', agreementId: 'stroke', researcherId: 'ResearchMSP/CN=alice', state: 'SUBMITTED' },
    ...{ participants: ['Hospital1MSP'], cells: [{}, {}, {}], deadline: '2026-02-01T00:00:00Z' },
  } as unknown as JobView;
  const context = {
    mspId: 'Hospital1MSP',
    consortium: {
      agreements: {
        list: async () => ({ items: [agreement()] }),
        get: async () => agreement(),
        sign: answer,
        refuse: answer,
      },
      jobs: { listOpen: async () => ({ items: [job] }), get: async () => job },
    },
    policy: boundedPolicy(
      policyBounds.parse({
        ...{ minimumOwnCount: 5, purposes: ['DUO:0000007'], minimumCohort: 20, releaseBudget: 200, days: 90 },
        ...{ cellsPerJob: 2, ...change },
      }),
    ),
    keys: { signing: keys },
    vault: {
      readJson: async (name: string) => stored.get(name),
      writeJson: async (name: string, value: unknown) => void stored.set(name, value),
    },
    report: (event: AgentEvent) => events.push(event),
  } as unknown as AgentContext;
  return { context, job, events, answered };
}

test('what the policy leaves to a person is listed with the reason, and nothing is done by itself', async () => {
  const { context, job, answered } = agent();
  expect(await inbox(context)).toMatchObject([
    { name: 'agreement/stroke', reasons: ['500 cells may be released, more than 200'] },
    { name: 'job/stroke', reasons: ['it has 3 cells, more than 2'], until: '2026-02-01T00:00:00Z' },
  ]);
  await expect(agreementStep(context)).resolves.toBe(false);
  await expect(mayTakePart(context, job)).resolves.toBe(false);
  expect(answered).toEqual([]);
});

test('a person signs by the enrolled key, and lets one job go on', async () => {
  const { context, job, answered, events } = agent();
  await approve(context, 'agreement/stroke');
  const [{ signature, version } = {}] = answered;
  expect(version).toBe(1);
  const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  expect(verifyDetached(content, signature as string, pem)).toBe(true);
  expect(events).toMatchObject([{ step: 'agreement', id: 'stroke', message: 'signed' }]);
  await approve(context, 'stroke');
  expect(await inbox(context)).toEqual([]);
  await expect(mayTakePart(context, job)).resolves.toBe(true);
  await expect(mayTakePart(context, { ...job, jobId: 'another' })).resolves.toBe(false);
});

test('a person refuses on the ledger with a reason, and a refused job gets nothing', async () => {
  const { context, job, answered } = agent();
  await refuse(context, 'agreement/stroke', 'Too many releases.');
  expect(answered).toEqual([{ agreementId: 'stroke', version: 1, reason: 'Too many releases.' }]);
  await refuse(context, 'job/stroke', 'Ask for less.');
  expect(await inbox(context)).toEqual([]);
  await expect(mayTakePart(context, job)).resolves.toBe(false);
});

test('an id that means two things, and one that waits for nobody, are named', async () => {
  const { context } = agent();
  await expect(approve(context, 'stroke')).rejects.toMatchObject({
    code: 'NOT_WAITING',
    message: 'stroke is not clear: write agreement/stroke or job/stroke.',
  });
  await expect(refuse(context, 'job/none', 'No.')).rejects.toMatchObject({ code: 'NOT_WAITING' });
  const within = agent({ cellsPerJob: 3 });
  expect((await inbox(within.context)).map(({ name }) => name)).toEqual(['agreement/stroke']);
});

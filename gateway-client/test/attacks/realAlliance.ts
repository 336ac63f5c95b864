/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** An alliance of three hospitals and two researchers on a real network: processes, gRPC, agents, ciphertexts. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobView } from '@strokeshare/chaincode';
import { type AnalysisQuery, parseSchema, type PatientRecord } from '@strokeshare/fhe';
import { clientProfile, deployChaincode, down, up } from '@strokeshare/network';
import {
  type Agent,
  type AgentEvent,
  agentSteps,
  enroll,
  Evaluators,
  type FollowedStep,
  follow,
  foundConsortium,
  initAgent,
  openAgent,
  publishDataset,
  storeFolderOf,
} from '../../src/agent/index.js';
import { untilDefined } from '../../src/connect/index.js';
import {
  initResearcher,
  openResearcher,
  register,
  requestAccess,
  type Researcher,
} from '../../src/researcher/index.js';
import { Resources } from '../../src/resources.js';
import { portRange } from '../../../network/test/support/ports.js';

export const NUMBERS = [1, 2, 3] as const;
export const mspOf = (number: number): string => `Hospital${number}MSP`;
const PURPOSE = 'DUO:0000042';
const EPOCH_ID = 'epoch-1';
const VERSION = '0.1.0';
const schema = parseSchema({
  name: 'small',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'RARE', kind: 'boolean' },
  ],
});
/** Of 180 patients 9 are rare. */
export const recordsOf = (number: number): Record<string, number | boolean>[] =>
  Array.from({ length: 60 }, (_, i) => ({ AGE: 40 + ((i * 7 + number) % 50), RARE: i % 20 === 0 }));

export const meanAge: AnalysisQuery = {
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }],
};
/** The patients who are rare, or who are not. */
export const count = (rare: 'true' | 'false'): AnalysisQuery => ({
  version: 1,
  statistics: [{ id: 'n', kind: 'count' }],
  where: [{ variable: 'RARE', level: rare }],
});

export class RealAlliance implements AsyncDisposable {
  readonly agents: Agent[] = [];
  readonly researchers: Researcher[] = [];
  readonly events: AgentEvent[] = [];
  readonly errors: unknown[] = [];
  /** Jobs that an agent does not see: the test does its part, or nobody. */
  readonly #withheld = new Map<string, Set<string>>();
  readonly #ending = new AbortController();
  readonly signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(10 * 60_000)]);

  private constructor(
    readonly folder: string,
    private readonly resources: Resources,
  ) {}

  get network(): string {
    return join(this.folder, 'network');
  }

  static async start(): Promise<RealAlliance> {
    const folder = await mkdtemp(join(tmpdir(), 'strokeshare-attacks-'));
    const resources = new Resources();
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    const alliance = new RealAlliance(folder, resources);
    try {
      await alliance.#deploy();
      await alliance.#enroll();
      await alliance.#share();
      return alliance;
    } catch (error) {
      await alliance[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.resources[Symbol.asyncDispose]();
  }

  /** The consortium client of a hospital's agent: what an attacker with its identity can call. */
  client(number: number) {
    return this.agents[number - 1]!.context.consortium;
  }

  context(number: number) {
    return this.agents[number - 1]!.context;
  }

  /** Keeps a hospital's agent away from a job. */
  withhold(jobId: string, number: number): void {
    this.#withheld.get(mspOf(number))!.add(jobId);
  }

  /** Lets it see the job again. */
  release(jobId: string, number: number): void {
    this.#withheld.get(mspOf(number))!.delete(jobId);
  }

  async agree(name: string, researcher = 0, changes: { releaseBudget?: number } = {}): Promise<void> {
    const who = this.researchers[researcher]!;
    await requestAccess(who, {
      permissionId: `permission-${name}`,
      datasets: NUMBERS.map((number) => `set-${number}`),
      variables: ['AGE', 'RARE'],
      statistics: ['count', 'mean'],
      purpose: PURPOSE,
      from: new Date(Date.now() - 60_000).toISOString(),
      until: new Date(Date.now() + 86_400_000).toISOString(),
      minimumCohort: 20,
      releaseBudget: 100,
      ...changes,
    });
    await this.client(1).agreements.propose(
      {
        agreementId: `agreement-${name}`,
        permissionId: `permission-${name}`,
        textHash: createHash('sha256').update(name).digest('hex'),
        terms: 'Counts and means.',
      },
      { signal: this.signal },
    );
  }

  /** Waits until all agents have signed. */
  async active(name: string): Promise<void> {
    const { client, events } = this.researchers[0]!;
    await untilDefined(events, this.signal, async () => {
      const { state } = await client.agreements.get({ agreementId: `agreement-${name}` });
      return state === 'ACTIVE' || undefined;
    });
  }

  submit(jobId: string, query: AnalysisQuery, agreement: string, researcher = 0): Promise<JobView> {
    return this.researchers[researcher]!.client.jobs.submit(
      { jobId, agreementId: `agreement-${agreement}`, purpose: PURPOSE, query },
      { signal: this.signal },
    );
  }

  /** Waits for a state of a job that the test accepts. */
  until(jobId: string, accepted: (job: JobView) => boolean): Promise<JobView> {
    const { client, events } = this.researchers[0]!;
    return untilDefined(events, this.signal, async () => {
      const job = await client.jobs.get({ jobId }, { signal: this.signal });
      return accepted(job) ? job : undefined;
    });
  }

  ended(jobId: string): Promise<JobView> {
    return this.until(jobId, ({ state }) => ['RELEASED', 'SUPPRESSED', 'REFUSED'].includes(state));
  }

  /** Waits until an agent has set a job aside, and says why. */
  async setAside(jobId: string, number: number): Promise<string> {
    const { events } = this.researchers[0]!;
    return untilDefined(
      events,
      this.signal,
      async () =>
        this.events.find(
          ({ step, id, mspId }) => step === 'set aside' && id === jobId && mspId === mspOf(number),
        )?.message,
    );
  }

  async #deploy(): Promise<void> {
    const peers = NUMBERS.map((number) => `'${mspOf(number)}.peer'`).join(', ');
    await up({
      dir: this.network,
      basePort: await portRange(300),
      organizations: [
        ...NUMBERS.map((number) => ({
          mspId: mspOf(number),
          domain: `hospital${number}.strokeshare.example`,
          peer: true,
          users: [{ name: 'Agent1', attributes: { 'strokeshare.role': 'institution' } }],
        })),
        {
          mspId: 'ResearchMSP',
          domain: 'research.strokeshare.example',
          peer: false,
          users: ['Alice', 'Bob'].map((name) => ({
            name,
            attributes: { 'strokeshare.role': 'researcher' },
          })),
        },
      ],
      channels: [
        {
          name: 'consortium',
          members: [...NUMBERS.map(mspOf), 'ResearchMSP'],
          endorsement: `OutOf(2, ${peers})`,
        },
        ...NUMBERS.map((number) => ({
          name: `hospital${number}-records`,
          members: [mspOf(number)],
          endorsement: `OR('${mspOf(number)}.peer')`,
        })),
      ],
    });
    this.resources.defer(() => down(this.network));
    const path = join(require.resolve('@strokeshare/chaincode/package.json'), '..');
    const deploy = (name: string, channel: string, organizations: string[]): Promise<void> =>
      deployChaincode(this.network, {
        channel,
        name,
        version: VERSION,
        label: `${name}_${VERSION}`,
        path,
        organizations,
        env: { STROKESHARE_CONTRACTS: name },
      });
    await deploy('consortium', 'consortium', NUMBERS.map(mspOf));
    for (const number of NUMBERS) await deploy('records', `hospital${number}-records`, [mspOf(number)]);
  }

  async #enroll(): Promise<void> {
    const folderOf = (number: number): string => join(this.folder, mspOf(number));
    const evaluators = this.resources.use(new Evaluators(1));
    for (const number of NUMBERS) {
      await initAgent(folderOf(number), {
        profile: clientProfile(this.network, mspOf(number), 'Agent1'),
        recordsChannel: `hospital${number}-records`,
        storage: {
          folders: Object.fromEntries(
            NUMBERS.filter((other) => other !== number).map((other) => [
              mspOf(other),
              storeFolderOf(folderOf(other)),
            ]),
          ),
        },
        // Small own counts pass here, so that the alliance's own gate is what decides.
        policy: { minimumOwnCount: 0, purposes: [PURPOSE], minimumCohort: 20, releaseBudget: 100, days: 2 },
      });
      const agent = await openAgent(folderOf(number), {
        evaluators,
        signal: this.signal,
        report: (event) => this.events.push(event),
      });
      this.agents.push(this.resources.use(agent));
      this.#withheld.set(mspOf(number), new Set());
    }
    for (const name of ['Alice', 'Bob']) {
      const profile = await initResearcher(join(this.folder, name), {
        profiles: [clientProfile(this.network, 'ResearchMSP', name, mspOf(1))],
      });
      const researcher = this.resources.use(await openResearcher(profile, this.signal));
      this.researchers.push(researcher);
    }
    await foundConsortium(this.context(1), {
      members: NUMBERS.map((number) => ({ mspId: mspOf(number), level: 'municipal' as const })),
      rule: 'majority',
    });
    for (const { context } of this.agents) await enroll(context, { name: context.mspId });
    for (const [i, researcher] of this.researchers.entries())
      await register(researcher, { name: `Researcher ${i + 1}`, affiliation: 'One institute' });
    const serving = this.agents.map((agent) => this.#serve(agent));
    this.resources.defer(() => Promise.allSettled(serving));
  }

  /** The agent as it is, but for the jobs that it is kept from. */
  #serve({ context, events }: Agent): Promise<void> {
    const { consortium, mspId } = context;
    const listOpen: typeof consortium.jobs.listOpen = async (...args) => {
      const page = await consortium.jobs.listOpen(...args);
      return { ...page, items: page.items.filter(({ jobId }) => !this.#withheld.get(mspId)!.has(jobId)) };
    };
    const watching = { ...context, consortium: { ...consortium, jobs: { ...consortium.jobs, listOpen } } };
    const steps = agentSteps.map((step): FollowedStep => ({
      ...step,
      take: (agent, heard) => {
        for (const jobId of this.#withheld.get(mspId)!) heard?.delete(jobId);
        return step.take(agent, heard);
      },
    }));
    // A process that is restarted does not answer for a while.
    return follow(watching, { events, steps, onError: (error) => this.errors.push(error) });
  }

  async #share(): Promise<void> {
    const { consortium } = this.context(1);
    await consortium.epochs.open({
      epochId: EPOCH_ID,
      parameterSet: 'additive',
      threshold: 2,
      members: NUMBERS.map(mspOf),
    });
    await untilDefined(this.agents[0]!.events, this.signal, async () => {
      const { state, abort } = await consortium.epochs.get({ epochId: EPOCH_ID });
      if (state === 'ABORTED') throw new Error(`The ceremony was aborted: ${abort?.reason ?? ''}`);
      return state === 'ACTIVE' || undefined;
    });
    for (const number of NUMBERS)
      await publishDataset(this.context(number), {
        datasetId: `set-${number}`,
        title: `Patients of ${mspOf(number)}`,
        epochId: EPOCH_ID,
        schema,
        records: recordsOf(number) as PatientRecord[],
        patients: recordsOf(number).map((_, i) => `patient-${i}`),
        minimumCohort: 20,
        conditions: [PURPOSE],
        provenance: {
          sourceHash: '0'.repeat(64),
          mappingHash: '0'.repeat(64),
          software: 'test',
          readAt: new Date().toISOString(),
          readBy: mspOf(number),
        },
      });
    for (const [i, name] of ['alice', 'bob'].entries()) {
      await this.agree(name, i);
      await this.active(name);
    }
  }
}

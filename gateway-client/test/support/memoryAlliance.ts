/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** Agents of an alliance whose ledger is in memory: the contracts, real keys and ciphertexts, no network. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobView, RequestPermission } from '@strokeshare/chaincode';
import { blobHash, generateSealingKeyPair, type AnalysisQuery } from '@strokeshare/fhe';
import { StorageError } from '@strokeshare/storage-node';
import { identity } from '../../../chaincode/test/support/identities.js';
import { MemoryLedger } from '../../../chaincode/test/support/memoryLedger.js';
import { closeEvaluators } from '../../../chaincode/src/evaluation/evaluators.js';
import type { AgentContext, AgentEvent } from '../../src/agent/context.js';
import { Evaluators } from '../../src/agent/evaluators.js';
import { agentSteps } from '../../src/agent/follow.js';
import { openKeys } from '../../src/agent/keys.js';
import { enroll, foundConsortium } from '../../src/agent/open.js';
import { VaultOriginals } from '../../src/agent/originals.js';
import { boundedPolicy } from '../../src/agent/policy.js';
import { Vault } from '../../src/agent/vault.js';
import {
  auditorClient,
  institutionClient,
  recordsClient,
  researcherClient,
  type AuditorClient,
} from '../../src/connect/index.js';
import { register, requestAccess, type ResearcherContext } from '../../src/researcher/index.js';
import { Resources } from '../../src/resources.js';
import { memoryLedgerOf } from './memoryLedgerOf.js';

export const PURPOSE = 'DUO:0000042';
export const mspOf = (number: number): string => `Hospital${number}MSP`;
/** More than any of these tests needs. */
const ROUNDS_AT_MOST = 300;

export class MemoryAlliance implements AsyncDisposable {
  readonly ledger = new MemoryLedger();
  readonly agents: AgentContext[] = [];
  readonly events: AgentEvent[] = [];
  researcher!: ResearcherContext;
  auditor!: AuditorClient;
  readonly #resources = new Resources();
  /** What every institution published, by its hash. */
  readonly #stores = new Map<string, Map<string, Uint8Array>>();

  /** Institutions that are enrolled, and a researcher. */
  static async start(institutions: number): Promise<MemoryAlliance> {
    const alliance = new MemoryAlliance();
    try {
      await alliance.#enroll(institutions);
      return alliance;
    } catch (error) {
      await alliance[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { ceremonies } of this.agents)
      for (const { ceremony } of ceremonies.values()) ceremony[Symbol.dispose]();
    await this.#resources[Symbol.asyncDispose]();
    await closeEvaluators();
  }

  /** Counted from 1, as their names are. */
  agent(number: number): AgentContext {
    return this.agents[number - 1]!;
  }

  /** Lets all agents take steps in turn until none of them has one. */
  async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_AT_MOST; round++) {
      let acted = false;
      for (const agent of this.agents)
        for (const { take } of agentSteps) acted = (await take(agent)) || acted;
      if (!acted) return;
    }
    throw new Error('the agents do not come to an end');
  }

  /** The first institutions make a key. */
  async makeKey(epochId: string, holders: number, threshold: number): Promise<void> {
    const members = this.agents.slice(0, holders).map(({ mspId }) => mspId);
    const { epochs } = this.agent(1).consortium;
    await epochs.open({ epochId, parameterSet: 'additive', threshold, members });
    await this.settle();
    const { state } = await epochs.get({ epochId });
    if (state !== 'ACTIVE') throw new Error(`the epoch ${epochId} is ${state}`);
  }

  /** An agreement that all owners sign. */
  async agree(
    name: string,
    asked: Partial<RequestPermission> & Pick<RequestPermission, 'datasets' | 'variables'>,
    researcher = this.researcher,
  ): Promise<void> {
    await requestAccess(researcher, {
      permissionId: `permission-${name}`,
      statistics: ['count', 'mean'],
      purpose: PURPOSE,
      from: new Date(Date.now() - 60_000).toISOString(),
      until: new Date(Date.now() + 86_400_000).toISOString(),
      minimumCohort: 20,
      releaseBudget: 100,
      ...asked,
    });
    await this.agent(1).consortium.agreements.propose({
      agreementId: `agreement-${name}`,
      permissionId: `permission-${name}`,
      textHash: createHash('sha256').update(name).digest('hex'),
      terms: 'Counts and means.',
    });
    await this.settle();
  }

  /** Submits a job and lets the agents do all of it. */
  async run(
    jobId: string,
    query: AnalysisQuery,
    agreement: string,
    researcher = this.researcher,
  ): Promise<JobView> {
    const agreementId = `agreement-${agreement}`;
    await researcher.client.jobs.submit({ jobId, agreementId, purpose: PURPOSE, query });
    await this.settle();
    return this.researcher.client.jobs.get({ jobId });
  }

  /** A researcher of an organisation. */
  async registered(mspId: string): Promise<ResearcherContext> {
    const ledger = memoryLedgerOf(this.ledger, await identity(mspId, 'alice', 'researcher'));
    const client = researcherClient(ledger);
    const researcher: ResearcherContext = {
      client,
      readers: [client],
      keys: await generateSealingKeyPair(),
      events: (ending) => ledger.events('consortium', 'consortium')(ending),
      signal: new AbortController().signal,
    };
    await register(researcher, { name: 'Alice', affiliation: 'Institute' });
    return researcher;
  }

  async #enroll(institutions: number): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'strokeshare-memory-'));
    this.#resources.defer(() => rm(folder, { recursive: true }));
    const evaluators = this.#resources.use(new Evaluators(1));
    const { signal } = new AbortController();
    for (let number = 1; number <= institutions; number++) {
      const mspId = mspOf(number);
      const ledger = memoryLedgerOf(this.ledger, await identity(mspId, 'agent', 'institution'));
      const vault = await Vault.open(join(folder, mspId), join(folder, `${mspId}.key`));
      const blobs = new Map<string, Uint8Array>();
      this.#stores.set(mspId, blobs);
      const agent: AgentContext = {
        mspId,
        consortium: institutionClient(ledger),
        records: recordsClient(ledger, `hospital${number}-records`),
        store: {
          put: async (bytes) => {
            blobs.set(blobHash(bytes), bytes.slice());
            return blobHash(bytes);
          },
          get: async (hash) => found(blobs.get(hash)),
          has: async (hash) => blobs.has(hash),
        },
        originals: new VaultOriginals(vault),
        peers: {
          // As a storage node does: nothing is read without a live grant on the ledger.
          get: async (owner, blob, claim) => {
            const { subject } = await agent.consortium.institutions.get({ mspId });
            const { granted } = await agent.consortium.grants.check({ mspId, subject, blob, claim });
            return found(granted ? this.#stores.get(owner)?.get(blob) : undefined);
          },
        },
        vault,
        keys: await openKeys(vault),
        policy: boundedPolicy({
          minimumOwnCount: 0,
          dominancePercent: 0,
          purposes: [PURPOSE],
          minimumCohort: 20,
          releaseBudget: 100,
          days: 2,
          jobs: 'automatic',
          cellsPerJob: 100,
        }),
        evaluators,
        ceremonies: new Map(),
        evaluations: new Map(),
        replays: new Map(),
        agreements: new Map(),
        releases: new Map(),
        setAside: new Map(),
        expected: new Map(),
        waiting: new Map(),
        ownColumns: new Map(),
        report: (event) => this.events.push(event),
        signal,
      };
      this.agents.push(agent);
    }
    await foundConsortium(this.agent(1), {
      members: this.agents.map(({ mspId }) => ({ mspId, level: 'municipal' as const })),
      rule: 'majority',
    });
    for (const agent of this.agents) await enroll(agent, { name: agent.mspId });
    this.researcher = await this.registered('ResearchMSP');
    this.auditor = auditorClient(
      memoryLedgerOf(this.ledger, await identity('ResearchMSP', 'auditor', 'auditor')),
    );
  }
}

function found(blob: Uint8Array | undefined): Uint8Array {
  if (!blob) throw new StorageError('NOT_FOUND', 'There is no such blob for this caller.');
  return blob;
}

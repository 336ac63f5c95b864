import { once } from 'node:events';
import { join } from 'node:path';
import { clientProfile, deployChaincode, up } from '@strokeshare/network';
import { initAgent, storeFolderOf } from '../agent/index.js';
import { initResearcher } from '../researcher/index.js';
import {
  AGENT_USER,
  CONSORTIUM_CHANNEL,
  demoNetwork,
  type DemoBackend,
  type DemoNetwork,
  HOSPITALS,
  type OwnHospital,
  MINIMUM_COHORT,
  MINIMUM_OWN_COUNT,
  AGREEMENT_DAYS,
  PURPOSE,
  RELEASE_BUDGET,
  RESEARCH,
} from './consortium.js';
import type { Progress } from './stages.js';
import type { DemoPaths } from './state.js';
import { zoneAddresses } from './storage.js';

const VERSION = '0.1.0';

/** Starts the network: certificates, peers, orderer, channels. */
export async function startNetwork(
  paths: DemoPaths,
  {
    basePort,
    backend,
    hospitals = HOSPITALS,
  }: { basePort: number; backend: DemoBackend; hospitals?: readonly OwnHospital[] },
  signal: AbortSignal,
  progress: Progress,
): Promise<void> {
  let sentences = 0;
  // About as many as there are; the bar need not be exact.
  const expected = 12;
  await up(demoNetwork(paths.network, basePort, backend, hospitals), {
    signal,
    onProgress: (sentence) => progress(Math.min(0.95, ++sentences / expected), sentence),
  });
}

/** Starts two chaincode processes for every hospital and commits their definitions. */
export async function deployContracts(
  paths: DemoPaths,
  signal: AbortSignal,
  progress: Progress,
  hospitals: readonly OwnHospital[] = HOSPITALS,
): Promise<void> {
  const path = join(require.resolve('@strokeshare/chaincode/package.json'), '..');
  const deployments = [
    { channel: CONSORTIUM_CHANNEL, name: 'consortium', organizations: hospitals.map(({ mspId }) => mspId) },
    ...hospitals.map(({ mspId, recordsChannel }) => ({
      channel: recordsChannel,
      name: 'records',
      organizations: [mspId],
    })),
  ];
  let done = 0;
  const deploying = deployments.map(async ({ name, ...deployment }) => {
    await deployChaincode(
      paths.network,
      {
        ...deployment,
        name,
        version: VERSION,
        label: `${name}_${VERSION}`,
        path,
        env: { STROKESHARE_CONTRACTS: name },
      },
      { onProgress: (sentence) => progress(done / deployments.length, sentence) },
    );
    progress(++done / deployments.length, '');
  });
  await unlessAborted(Promise.all(deploying), signal);
}

/** Goes on without work that cannot be cancelled: taking the network down ends it. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  work.catch(() => undefined);
  const ended = new AbortController();
  try {
    await Promise.race([work, once(signal, 'abort', { signal: ended.signal })]);
  } finally {
    ended.abort();
  }
  signal.throwIfAborted();
}

/** The folder of a hospital's agent. */
export function agentFolder(paths: DemoPaths, mspId: string): string {
  return join(paths.agents, mspId);
}

/** The network that the demo itself started. */
export function ownNetwork(paths: DemoPaths, hospitals: readonly OwnHospital[] = HOSPITALS): DemoNetwork {
  return {
    hospitals,
    institution: (mspId) => clientProfile(paths.network, mspId, AGENT_USER),
    // Results are read from two hospitals' peers and compared.
    researcher: () =>
      hospitals
        .slice(0, 2)
        .map(({ mspId }) => clientProfile(paths.network, RESEARCH.mspId, RESEARCH.user, mspId)),
  };
}

/** Sets up the folders of the agents and of the researcher. */
export async function makeFolders(
  paths: DemoPaths,
  { hospitals, institution, researcher, zonePort, policy }: DemoNetwork,
): Promise<{ researcherProfile: string }> {
  for (const { mspId, recordsChannel } of hospitals) {
    const others = hospitals.filter((hospital) => hospital.mspId !== mspId);
    await initAgent(agentFolder(paths, mspId), {
      profile: institution(mspId),
      recordsChannel,
      storage:
        zonePort === undefined
          ? {
              folders: Object.fromEntries(
                others.map((other) => [other.mspId, storeFolderOf(agentFolder(paths, other.mspId))]),
              ),
            }
          : {
              internal: zoneAddresses(paths, zonePort, mspId).internal,
              external: Object.fromEntries(
                others.map((other) => [other.mspId, zoneAddresses(paths, zonePort, other.mspId).external]),
              ),
            },
      policy: {
        minimumOwnCount: MINIMUM_OWN_COUNT,
        purposes: [PURPOSE],
        minimumCohort: MINIMUM_COHORT,
        releaseBudget: RELEASE_BUDGET,
        days: AGREEMENT_DAYS + 1,
        ...policy,
      },
    });
  }
  return { researcherProfile: await initResearcher(paths.researcher, { profiles: researcher() }) };
}

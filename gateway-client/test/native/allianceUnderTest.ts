import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ordererOrganizationPaths, up, type NetworkConfig } from '@strokeshare/network';
import { gaugeByChannel } from '@strokeshare/network/dist/native/metrics.js';
import type { AgentEvent } from '../../src/agent/index.js';
import { openAlliance, type Alliance } from '../../src/demo/alliance.js';
import { demoNetwork } from '../../src/demo/consortium.js';
import { removeDemo } from '../../src/demo/down.js';
import { dealTrial, type DealtRecords } from '../../src/demo/records.js';
import { deployContracts, ownNetwork } from '../../src/demo/setup.js';
import { agree, enrollAll, makeKey, publishAll } from '../../src/demo/sharing.js';
import { demoPaths } from '../../src/demo/state.js';
import { Resources } from '../../src/resources.js';
import { nodesOf, type FabricNode } from './lostNode.js';

const PROJECT = join(__dirname, '..', '..', '..');
/** Of each hospital: one batch. */
const PATIENTS = 400;

/** The demo's alliance on real nodes, ready for jobs; its agents go on after errors, as a service does. */
export interface AllianceUnderTest extends AsyncDisposable {
  readonly dir: string;
  readonly alliance: Alliance;
  readonly dealt: DealtRecords;
  /** What agents could not do at once, in words. */
  readonly troubles: string[];
  /** Resolves with the next step of any agent that this says yes to. */
  next(wanted: (event: AgentEvent) => boolean): Promise<AgentEvent>;
}

/** Starts a network, makes key, datasets and agreement. */
export async function startAlliance(
  basePort: number,
  ordering: Pick<NetworkConfig, 'consensus' | 'orderers'>,
): Promise<AllianceUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'strokeshare-faults-'));
  const paths = demoPaths(join(folder, 'demo'));
  const signal = new AbortController().signal;
  const resources = new Resources();
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  resources.defer(() => removeDemo(paths));
  try {
    const whole = await dealTrial(join(PROJECT, 'data'), 4);
    const hospitals = whole.hospitals.map((records) => records.slice(0, PATIENTS));
    const dealt = { ...whole, hospitals, all: hospitals.flat() };
    await up({ ...demoNetwork(paths.network, basePort, 'native'), ...ordering });
    await deployContracts(paths, signal, () => undefined);
    const network = ownNetwork(paths);
    const alliance = await openAlliance(paths, network, resources, signal);
    const { agents, researcher, served } = alliance;
    const troubles: string[] = [];
    const waiting = new Set<(event: AgentEvent) => void>();
    alliance.hear((event) => waiting.forEach((hear) => hear(event)));
    await enrollAll(network.hospitals, agents, researcher);
    alliance.serve({ onError: (error) => troubles.push(String(error)) });
    await served(makeKey(agents, 'additive'));
    await served(publishAll(network.hospitals, agents, dealt, () => undefined));
    await served(agree(network.hospitals, agents, researcher));
    return {
      dir: paths.network,
      alliance,
      dealt,
      troubles,
      next: (wanted) =>
        new Promise((resolve) => {
          const hear = (event: AgentEvent): void => {
            if (!wanted(event)) return;
            waiting.delete(hear);
            resolve(event);
          };
          waiting.add(hear);
        }),
      [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
    };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

/** The orderer that leads a channel. */
export async function leaderOf(dir: string, channel: string): Promise<FabricNode> {
  const { tls } = ordererOrganizationPaths(dir, 'strokeshare.example').user('Admin');
  for (const node of (await nodesOf(dir)).filter(({ kind }) => kind === 'orderer')) {
    const port = Number(node.operations.split(':')[1]);
    const gauges = await gaugeByChannel(
      port,
      tls,
      'consensus_etcdraft_is_leader',
      'consensus_BFT_is_leader',
    ).catch(() => undefined);
    if (gauges?.get(channel) === 1) return node;
  }
  throw new Error(`nobody leads ${channel}`);
}

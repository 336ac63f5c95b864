import { setTimeout as delay } from 'node:timers/promises';
import { ADMIN } from '../certificates/index.js';
import type { ChaincodeDeployment } from '../embedded-options.js';
import { NetworkError } from '../errors.js';
import type { FabricCli } from './cli.js';
import { endorsingPeers } from './discovery.js';
import { gaugeByChannel } from './metrics.js';
import type { PeerNode } from './plan.js';

/*
 * Fabric's nodes take their time until what was asked of them is in force everywhere, and tell nobody when it is.
 */

/** Longest time until a channel has a leader, or a committed chaincode can be called everywhere. */
const DEADLINE_MS = 60_000;

/** How an orderer tells that it leads a channel, and which block it wrote last. */
const LEADER = ['consensus_etcdraft_is_leader', 'consensus_BFT_is_leader'] as const;
const LAST_BLOCK = [
  'consensus_etcdraft_committed_block_number',
  'consensus_BFT_committed_block_number',
] as const;

/** The orderer that leads a channel; undefined while there is none. */
export async function leaderOf(cli: FabricCli, channel: string): Promise<string | undefined> {
  const { tls } = cli.paths.orderers.user(ADMIN);
  for (const node of cli.plan.orderers) {
    const gauges = await gaugeByChannel(node.operationsPort, tls, ...LEADER).catch(() => undefined);
    if (gauges?.get(channel) === 1) return node.name;
  }
  return undefined;
}

/** Blocks by channel: the longest ledger of any orderer. */
export async function ordererHeights(cli: FabricCli): Promise<ReadonlyMap<string, number>> {
  const { tls } = cli.paths.orderers.user(ADMIN);
  const heights = new Map<string, number>();
  for (const node of cli.plan.orderers) {
    const blocks = await gaugeByChannel(node.operationsPort, tls, ...LAST_BLOCK).catch(() => undefined);
    for (const [channel, last] of blocks ?? [])
      heights.set(channel, Math.max(heights.get(channel) ?? 0, last + 1));
  }
  return heights;
}

/** Blocks by channel of one peer; nothing when it does not answer. */
export async function peerHeights(
  cli: FabricCli,
  { mspId, operationsPort }: PeerNode,
): Promise<ReadonlyMap<string, number>> {
  const { tls } = cli.paths.organization(mspId).user(ADMIN);
  return gaugeByChannel(operationsPort, tls, 'ledger_blockchain_height').catch(() => new Map());
}

/**
 * By organisation, how many of its peers a peer knows to endorse for a chaincode; nobody when it does not answer. A
 * peer counts itself.
 */
export async function knownEndorsers(
  cli: FabricCli,
  { mspId, port }: PeerNode,
  channel: string,
  chaincode: string,
): Promise<ReadonlyMap<string, number>> {
  const organization = cli.paths.organization(mspId);
  const asker = { mspId, identity: organization.user(ADMIN), tlsCa: organization.tlsCaCertificate };
  return endorsingPeers(`localhost:${port}`, asker, channel, chaincode).catch(() => new Map());
}

/** Waits until a channel orders transactions. */
export async function untilOrdering(cli: FabricCli, channel: string): Promise<void> {
  await until(
    `the channel ${channel} has a leader`,
    async () => (await leaderOf(cli, channel)) !== undefined,
  );
}

/** Waits until the peers know of each other that they run a chaincode: only then a gateway can ask them. */
export async function untilCallable(
  cli: FabricCli,
  channel: string,
  { name, organizations }: Pick<ChaincodeDeployment, 'name' | 'organizations'>,
): Promise<void> {
  const wanted = Object.keys(organizations).map((mspId) => ({ mspId, peers: cli.peersOf(mspId) }));
  await until(`every peer of ${channel} knows who runs ${name}`, async () => {
    const askers = wanted.flatMap(({ peers }) => peers);
    const known = await Promise.all(askers.map((peer) => knownEndorsers(cli, peer, channel, name)));
    return known.every((found) =>
      wanted.every(({ mspId, peers }) => (found.get(mspId) ?? 0) >= peers.length),
    );
  });
}

/** Waits until these organisations' peers have a channel's ledger up to a height. */
export async function untilHeight(
  cli: FabricCli,
  channel: string,
  mspIds: readonly string[],
  height: number,
): Promise<void> {
  await until(`the peers of ${mspIds.join(', ')} have block ${height - 1} of ${channel}`, async () => {
    const peers = mspIds.flatMap((mspId) => cli.peersOf(mspId));
    const heights = await Promise.all(peers.map((peer) => peerHeights(cli, peer)));
    return heights.every((byChannel) => (byChannel.get(channel) ?? 0) >= height);
  });
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > end)
      throw new NetworkError(
        'NODE_FAILED',
        `After ${DEADLINE_MS / 1000} seconds it is not yet so that ${what}.`,
      );
    await delay(50);
  }
}

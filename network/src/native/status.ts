import type { FabricStatus } from '../daemon/protocol.js';
import type { ChannelOptions, EmbeddedStatus } from '../embedded-options.js';
import { NetworkError } from '../errors.js';
import type { FabricCli } from './cli.js';
import { committedDefinitions, type CommittedDefinition } from './lifecycle.js';
import type { Nodes } from './nodes.js';
import type { PeerNode } from './plan.js';
import { knownEndorsers, ordererHeights, peerHeights } from './readiness.js';

/** What the nodes of a network say of themselves; those that do not answer are left out. */
export async function networkStatus(
  cli: FabricCli,
  nodes: Nodes,
  channels: readonly ChannelOptions[],
): Promise<EmbeddedStatus & { readonly fabric: FabricStatus }> {
  const { peers } = cli.plan;
  const ordered = await ordererHeights(cli);
  const held = new Map(
    await Promise.all(peers.map(async (peer) => [peer, await peerHeights(cli, peer)] as const)),
  );
  return {
    peers: peers.map(({ mspId, name, port }) => ({ mspId, name, address: `127.0.0.1:${port}` })),
    channels: await Promise.all(
      channels.map(async ({ name, members }) => {
        const joined = members
          .flatMap((mspId) => cli.peersOf(mspId))
          .filter((peer) => held.get(peer)?.has(name));
        const heights: Record<string, number> = {};
        for (const peer of joined)
          heights[peer.mspId] = Math.max(heights[peer.mspId] ?? 0, held.get(peer)?.get(name) ?? 0);
        return {
          name,
          members,
          heights,
          ordererHeight: ordered.get(name) ?? 0,
          chaincodes: await chaincodes(cli, name, joined),
        };
      }),
    ),
    fabric: fabricStatus(cli, nodes),
  };
}

async function chaincodes(cli: FabricCli, channel: string, joined: readonly PeerNode[]) {
  const organizations = [...new Set(joined.map(({ mspId }) => mspId))];
  return Promise.all(
    (await definitions(cli, channel, joined)).map(async (definition) => {
      const known = await Promise.all(
        joined.map((peer) => knownEndorsers(cli, peer, channel, definition.name)),
      );
      const reason = 'its peer has not installed the chaincode or does not answer';
      const connections = organizations.map((mspId) => {
        const ready = joined.some((peer, index) => peer.mspId === mspId && known[index]?.has(mspId));
        return [mspId, ready ? { ready } : { ready, reason }] as const;
      });
      return { ...definition, connections: Object.fromEntries(connections) };
    }),
  );
}

/** As the first peer that answers knows them: one that was lost a moment ago does not. */
async function definitions(
  cli: FabricCli,
  channel: string,
  joined: readonly PeerNode[],
): Promise<CommittedDefinition[]> {
  for (const peer of joined) {
    try {
      return await committedDefinitions(cli.at(peer), channel);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
    }
  }
  return [];
}

function fabricStatus({ plan, fabric }: FabricCli, nodes: Nodes): FabricStatus {
  const describe = (kind: 'orderer' | 'peer', node: PeerNode) => ({
    kind,
    name: node.name,
    mspId: node.mspId,
    address: `127.0.0.1:${node.port}`,
    operations: `127.0.0.1:${node.operationsPort}`,
    ...nodes.status(node.name),
  });
  return {
    version: fabric.version,
    consensus: plan.consensus,
    nodes: [
      ...plan.orderers.map((node) => describe('orderer', node)),
      ...plan.peers.map((node) => describe('peer', node)),
    ],
  };
}

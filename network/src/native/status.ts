import type { FabricStatus } from '../daemon/protocol.js';
import type { ChannelOptions, EmbeddedStatus } from '../embedded-options.js';
import type { FabricCli } from './cli.js';
import { committedDefinitions } from './lifecycle.js';
import type { Nodes } from './nodes.js';
import type { PeerNode } from './plan.js';
import { knownEndorsers, ordererHeights, peerHeights } from './readiness.js';

/** What the nodes of a network say of themselves. */
export async function networkStatus(
  cli: FabricCli,
  nodes: Nodes,
  channels: readonly ChannelOptions[],
): Promise<EmbeddedStatus & { readonly fabric: FabricStatus }> {
  const { peers } = cli.plan;
  const ordered = await ordererHeights(cli);
  const held = new Map(
    await Promise.all(peers.map(async ({ mspId }) => [mspId, await peerHeights(cli, mspId)] as const)),
  );
  return {
    peers: peers.map(({ mspId, name, port }) => ({ mspId, name, address: `127.0.0.1:${port}` })),
    channels: await Promise.all(
      channels.map(async ({ name, members }) => {
        const heights = members.flatMap((mspId) => {
          const height = held.get(mspId)?.get(name);
          return height === undefined ? [] : [[mspId, height] as const];
        });
        return {
          name,
          members,
          heights: Object.fromEntries(heights),
          ordererHeight: ordered.get(name) ?? 0,
          chaincodes: await chaincodes(
            cli,
            name,
            heights.map(([mspId]) => mspId),
          ),
        };
      }),
    ),
    fabric: fabricStatus(cli, nodes),
  };
}

async function chaincodes(cli: FabricCli, channel: string, joined: readonly string[]) {
  const [asked] = joined;
  const definitions = asked === undefined ? [] : await committedDefinitions(cli.as(asked), channel);
  return Promise.all(
    definitions.map(async (definition) => {
      const connections = joined.map(async (mspId) => {
        const known = await knownEndorsers(cli, mspId, channel, definition.name);
        const reason = 'its peer has not installed the chaincode or does not answer';
        return [mspId, known.includes(mspId) ? { ready: true } : { ready: false, reason }] as const;
      });
      return { ...definition, connections: Object.fromEntries(await Promise.all(connections)) };
    }),
  );
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

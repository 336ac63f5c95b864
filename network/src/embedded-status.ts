import { type ChannelHost } from './channel-host.js';
import { type ChaincodeStatus, type EmbeddedStatus } from './embedded-options.js';
import { chaincodeDefinition } from './endorser/channel.js';
import { type PeerNode } from './peer-node.js';

/** What can be said of one channel: heights, chaincodes and damage that was found. */
export function channelStatus(
  { options, orderer }: ChannelHost,
  nodes: readonly PeerNode[],
  chaincodes: Iterable<string>,
  ordererMspId: string,
): EmbeddedStatus['channels'][number] {
  const { name, members } = options;
  const ledgers = nodes.map((node) => [node.mspId, node.channel(name)?.ledger] as const);
  const damage = [[ordererMspId, orderer] as const, ...ledgers].flatMap(([mspId, copy]) =>
    copy?.damage === undefined ? [] : [[mspId, copy.damage] as const],
  );
  return {
    name,
    members,
    heights: Object.fromEntries(ledgers.map(([mspId, ledger]) => [mspId, ledger?.height ?? 0])),
    ordererHeight: orderer.height,
    chaincodes: [...chaincodes].flatMap((chaincode) => chaincodeStatus(nodes, name, chaincode)),
    ...(damage.length > 0 && { damage: Object.fromEntries(damage) }),
  };
}

function chaincodeStatus(nodes: readonly PeerNode[], channelName: string, name: string): ChaincodeStatus[] {
  const channel = nodes[0]?.channel(channelName);
  const definition = channel && chaincodeDefinition(channel, name);
  if (!definition) return [];
  const { version, sequence } = definition;
  const connections = nodes.flatMap((node) => {
    const connection = node.chaincodes.connection(channelName, name, sequence);
    if (!connection) return [];
    const { ready, reason } = connection;
    return [[node.mspId, ready ? { ready } : { ready, reason }] as const];
  });
  return [{ name, version, sequence, connections: Object.fromEntries(connections) }];
}

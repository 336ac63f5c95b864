import type { FabricStatus } from '../daemon/protocol.js';
import type { NetworkStatus } from '../operations/status.js';
import { table } from './output.js';

/** A network's status for a person: organisations, channels with their heights, chaincodes and their processes. */
export function statusText(status: NetworkStatus): string {
  const organizations = table([
    ['ORGANISATION', 'PEER'],
    ...status.organizations.map(({ mspId, peer }) => [mspId, peer?.endpoint ?? 'none']),
  ]);
  if (status.state !== 'running')
    return `The network in ${status.dir} is ${status.state}.\n\n${organizations}\n\nChannels: ${status.channels.join(', ') || 'none'}`;

  const { pid, startedAt, channels, processes, fabric, authorities = [] } = status.daemon;
  const chaincodes = channels.flatMap((channel) =>
    channel.chaincodes.map(({ name, version, sequence, connections }) => [
      channel.name,
      name,
      version,
      String(sequence),
      readiness(connections),
    ]),
  );
  return [
    `The network in ${status.dir} is running (process ${pid}, since ${startedAt}).`,
    organizations,
    fabric === undefined ? '' : nodes(fabric),
    authorities.length === 0
      ? ''
      : table([
          ['FABRIC CA OF', 'STATE', 'ADDRESS', 'RESTARTS'],
          ...authorities.map(({ domain, state, url, restarts }) => [domain, state, url, String(restarts)]),
        ]),
    channels.length === 0
      ? 'No channel; add one with "createChannel".'
      : table([
          ['CHANNEL', 'MEMBERS', 'BLOCKS'],
          ...channels.map(({ name, members, heights }) => [name, members.join(' '), blocks(heights)]),
        ]),
    channels.flatMap(({ damage = {} }) => Object.entries(damage).map(damaged)).join('\n'),
    chaincodes.length === 0
      ? 'No chaincode; deploy one with "deployCC".'
      : table([['CHANNEL', 'CHAINCODE', 'VERSION', 'SEQUENCE', 'READY'], ...chaincodes]),
    processes.length === 0
      ? ''
      : table([
          ['PROCESS', 'ORGANISATION', 'STATE', 'ADDRESS', 'RESTARTS'],
          ...processes.map(({ label, mspId, state, address, restarts, lastExit }) => [
            label,
            mspId,
            state,
            address,
            lastExit === undefined ? String(restarts) : `${restarts} (last: ${lastExit})`,
          ]),
        ]),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function nodes({ version, consensus, nodes: all }: FabricStatus): string {
  const rows = all.map(({ name, state, address, operations, restarts }) => [
    name,
    state,
    address,
    operations,
    String(restarts),
  ]);
  const ordering = consensus === 'bft' ? 'SmartBFT' : 'Raft';
  return `Fabric ${version}, ordering by ${ordering}\n${table([['NODE', 'STATE', 'ADDRESS', 'OPERATIONS', 'RESTARTS'], ...rows])}`;
}

function damaged([mspId, problem]: [string, string]): string {
  return `DAMAGED at ${mspId}: ${problem}`;
}

function blocks(heights: Readonly<Record<string, number>>): string {
  const values = [...new Set(Object.values(heights))];
  if (values.length === 1) return String(values[0]);
  return Object.entries(heights)
    .map(([mspId, height]) => `${mspId} ${height}`)
    .join(', ');
}

function readiness(
  connections: Readonly<Record<string, { ready: boolean; reason?: string | undefined }>>,
): string {
  const broken = Object.entries(connections).filter(([, { ready }]) => !ready);
  if (broken.length === 0) return 'yes';
  return broken.map(([mspId, { reason }]) => `${mspId}: ${reason ?? 'no'}`).join('; ');
}

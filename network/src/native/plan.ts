import { join } from 'node:path';
import { z } from 'zod';
import {
  ordererDomain,
  ordererOrganizationPaths,
  peerOrganizationPaths,
  type NodePaths,
  type OrganizationPaths,
} from '../certificates/index.js';
import { ordererNames, peerPorts, type PeerPort, type ResolvedConfig } from '../config/index.js';
import { findPort, isPortFree, portOwner } from '../daemon/ports.js';
import { NetworkError } from '../errors.js';

/** Native nodes find their own ports from this far above the first peer's, clear of chaincode processes. */
const PORT_GAP = 200;

const port = z.int().min(1).max(65535);
const nodeSchema = z.strictObject({
  /** Host name, for example `peer0.org1.example.com`; also the name of its folder and log. */
  name: z.string(),
  mspId: z.string(),
  /** Peer: endorser, gateway and deliver. Orderer: broadcast, deliver and cluster. */
  port,
  operationsPort: port,
});

/** What a native network decided when it was made and has to keep: consensus and the ports of its nodes. */
export const planSchema = z.strictObject({
  consensus: z.enum(['raft', 'bft']),
  orderers: z.array(nodeSchema.extend({ adminPort: port })),
  peers: z.array(nodeSchema),
});

export type NativePlan = z.infer<typeof planSchema>;
export type PeerNode = NativePlan['peers'][number];
export type OrdererNode = NativePlan['orderers'][number];

/** Chooses names and free ports for every node of a network. */
export async function planNetwork(config: ResolvedConfig): Promise<NativePlan> {
  const allocate = portAllocator(config, []);
  const domain = ordererDomain(config);
  const plan: NativePlan = { consensus: config.consensus, orderers: [], peers: [] };
  for (const name of ordererNames(config)) {
    plan.orderers.push({
      name: `${name}.${domain}`,
      mspId: config.ordererMspId,
      port: await allocate(),
      adminPort: await allocate(),
      operationsPort: await allocate(),
    });
  }
  for (const place of peerPorts(config)) plan.peers.push(await plannedPeer(config, place, allocate));
  return plan;
}

/**
 * @throws NetworkError PORT_IN_USE naming the first port of a node that something else listens on. A port cannot be
 * chosen anew: it is in the configuration of the channels.
 */
export async function checkPlannedPorts({ orderers, peers }: NativePlan): Promise<void> {
  const wanted = [
    ...orderers.flatMap((node) => [
      { node, taken: node.port },
      { node, taken: node.adminPort },
    ]),
    ...peers.map((node) => ({ node, taken: node.port })),
    ...[...orderers, ...peers].map((node) => ({ node, taken: node.operationsPort })),
  ];
  for (const { node, taken } of wanted) {
    if (await isPortFree(taken)) continue;
    const owner = portOwner(taken);
    throw new NetworkError(
      'PORT_IN_USE',
      `Port ${taken}, which ${node.name} needs, is in use${owner === undefined ? '' : ` by ${owner}`}; end that program.`,
    );
  }
}

/** Adds the peers of an organisation that joins later. */
export async function planPeers(
  config: ResolvedConfig,
  plan: NativePlan,
  mspId: string,
): Promise<PeerNode[]> {
  const taken = [...plan.orderers.flatMap((o) => [o.port, o.adminPort]), ...plan.peers.map((p) => p.port)];
  const allocate = portAllocator(config, [
    ...taken,
    ...[...plan.orderers, ...plan.peers].map((n) => n.operationsPort),
  ]);
  const planned: PeerNode[] = [];
  for (const place of peerPorts(config).filter((peer) => peer.mspId === mspId))
    planned.push(await plannedPeer(config, place, allocate));
  return planned;
}

async function plannedPeer(
  config: ResolvedConfig,
  { mspId, index, port: own }: PeerPort,
  allocate: () => Promise<number>,
): Promise<PeerNode> {
  const { domain } = organization(config, mspId);
  return { name: `peer${index}.${domain}`, mspId, port: own, operationsPort: await allocate() };
}

/** The organisation of a network description with this MSP id. */
export function organization(config: ResolvedConfig, mspId: string): ResolvedConfig['organizations'][number] {
  const found = config.organizations.find((candidate) => candidate.mspId === mspId);
  if (!found)
    throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} is not an organisation of this network.`);
  return found;
}

/** Files of a native network, below the folders that every network has. */
export function nativePaths(config: ResolvedConfig) {
  const ledger = join(config.dir, 'ledger');
  return {
    plan: join(ledger, 'native.json'),
    builder: join(ledger, 'ccaas-builder'),
    /** Folders of the organisations' administrators. */
    administration: join(ledger, 'administration'),
    /** Folder of a node: its configuration file and its data. */
    node: (name: string) => join(ledger, name),
    log: (name: string) => join(config.dir, 'logs', `${name}.log`),
    channel: (name: string) => join(ledger, 'channels', name),
    genesis: (name: string) => join(ledger, 'channels', name, 'genesis.block'),
    orderers: ordererOrganizationPaths(config.dir, ordererDomain(config)),
    organization: (mspId: string): OrganizationPaths =>
      peerOrganizationPaths(config.dir, organization(config, mspId).domain),
    peer: ({ mspId, name }: Pick<PeerNode, 'mspId' | 'name'>): NodePaths =>
      peerOrganizationPaths(config.dir, organization(config, mspId).domain).node(firstLabel(name)),
  };
}

/** Files of one orderer. */
export function ordererPaths(config: ResolvedConfig, node: { readonly name: string }): NodePaths {
  return ordererOrganizationPaths(config.dir, ordererDomain(config)).node(firstLabel(node.name));
}

function firstLabel(host: string): string {
  return host.slice(0, host.indexOf('.'));
}

export type NativePaths = ReturnType<typeof nativePaths>;

function portAllocator(config: ResolvedConfig, taken: readonly number[]): () => Promise<number> {
  const reserved = new Set([...taken, ...peerPorts(config).map((peer) => peer.port)]);
  const from = Math.min(config.basePort + PORT_GAP, 65000);
  return async () => {
    const free = await findPort(from, reserved);
    reserved.add(free);
    return free;
  };
}

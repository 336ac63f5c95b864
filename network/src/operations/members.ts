import { ordererDomain } from '../certificates/index.js';
import {
  firstPeerPorts,
  parseConfig,
  peerPorts,
  type NetworkConfig,
  type ResolvedConfig,
} from '../config/index.js';
import { callDaemon } from '../daemon/control.js';
import { layout } from '../daemon/layout.js';
import { findPort } from '../daemon/ports.js';
import { NetworkError } from '../errors.js';
import { requireNetwork } from './directory.js';
import { checkPolicies } from './prerequisites.js';

/** The policies of a channel from a change of its members on; by default a majority of the members with peers. */
export interface ChannelPolicies {
  name: string;
  endorsement?: string;
  lifecycleEndorsement?: string;
  admins?: string;
}

/** An organisation that is to join a running network. */
export interface AddedOrganization {
  organization: NetworkConfig['organizations'][number];
  /** Channels that it joins. */
  joins: readonly ChannelPolicies[];
  /** Channels that are made for it, its private one for example. */
  creates?: readonly NetworkConfig['channels'][number][];
}

export interface MembersOptions {
  /** Hears what is being done, a sentence at a time. */
  onProgress?: (sentence: string) => void;
}

/**
 * Admits an organisation to a running network: its certificates and its peer, the agreement of the members of every
 * channel that it joins, its own channels, its processes of the chaincodes there.
 * @throws NetworkError NOT_RUNNING, UNSUPPORTED, CONFIG_INVALID, POLICY_INVALID, CHANNEL_UNKNOWN or FABRIC_COMMAND_FAILED
 */
export async function addOrganization(
  dir: string,
  { organization, joins, creates = [] }: AddedOrganization,
  options: MembersOptions = {},
): Promise<void> {
  const config = fixed(requireNetwork(dir).marker.config);
  const ports = new Set(peerPorts(config).map(({ port }) => port));
  const port = organization.port ?? (await findPort(Math.max(config.basePort, ...ports) + 1, ports));
  const organizations = [
    ...config.organizations,
    organization.peer ? { ...organization, port } : organization,
  ];
  const channels = config.channels.map((channel) => {
    const policies = joins.find(({ name }) => name === channel.name);
    if (!policies) return channel;
    return withPolicies(channel, [...channel.members, organization.mspId], policies, organizations);
  });
  checkChannels(config, joins);
  await reconfigure({ ...config, organizations, channels: [...channels, ...creates] }, options);
}

/**
 * Excludes an organisation from a running network: the other members take it out of every channel that they share, its
 * peer and its processes end. Channels that it alone belongs to are gone with it; what it signed stays valid.
 * @throws NetworkError NOT_RUNNING, UNSUPPORTED, ORGANIZATION_UNKNOWN, CONFIG_INVALID or FABRIC_COMMAND_FAILED
 */
export async function removeOrganization(
  dir: string,
  { mspId, channels: policies = [] }: { mspId: string; channels?: readonly ChannelPolicies[] },
  options: MembersOptions = {},
): Promise<void> {
  const config = fixed(requireNetwork(dir).marker.config);
  if (!config.organizations.some((organization) => organization.mspId === mspId))
    throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} is not an organisation of this network.`);
  checkChannels(config, policies);
  const organizations = config.organizations.filter((organization) => organization.mspId !== mspId);
  const channels = config.channels
    .filter(({ members }) => members.some((member) => member !== mspId))
    .map((channel) => {
      if (!channel.members.includes(mspId)) return channel;
      const members = channel.members.filter((member) => member !== mspId);
      const given = policies.find(({ name }) => name === channel.name) ?? { name: channel.name };
      return withPolicies(channel, members, given, organizations);
    });
  await reconfigure({ ...config, organizations, channels }, options);
}

type Channel = NetworkConfig['channels'][number];
type Organizations = readonly { mspId: string; peer: boolean }[];

/** More than half of the members that run a peer, in one role, as a signature policy. */
export function majorityOf(
  members: readonly string[],
  organizations: Organizations,
  role: 'peer' | 'admin',
): string {
  const principals = organizations
    .filter(({ mspId, peer }) => peer && members.includes(mspId))
    .map(({ mspId }) => `'${mspId}.${role}'`);
  return `OutOf(${Math.floor(principals.length / 2) + 1}, ${principals.join(', ')})`;
}

function withPolicies(
  channel: Channel,
  members: string[],
  given: ChannelPolicies,
  organizations: Organizations,
): Channel {
  const endorsement = given.endorsement ?? majorityOf(members, organizations, 'peer');
  return {
    ...channel,
    members,
    endorsement,
    lifecycleEndorsement: given.lifecycleEndorsement ?? endorsement,
    admins: given.admins ?? majorityOf(members, organizations, 'admin'),
  };
}

/** What follows from the order of the organisations must not change when one leaves. */
function fixed(config: ResolvedConfig): ResolvedConfig {
  const ports = firstPeerPorts(config);
  const organizations = config.organizations.map((organization) => {
    const port = ports.get(organization.mspId);
    return port === undefined ? organization : { ...organization, port };
  });
  return { ...config, ordererDomain: ordererDomain(config), organizations };
}

function checkChannels(config: ResolvedConfig, named: readonly ChannelPolicies[]): void {
  const unknown = named.find(({ name }) => !config.channels.some((channel) => channel.name === name));
  if (unknown) throw new NetworkError('CHANNEL_UNKNOWN', `There is no channel ${unknown.name}.`);
}

async function reconfigure(config: NetworkConfig, { onProgress }: MembersOptions): Promise<void> {
  const checked = parseConfig(config);
  checkPolicies(checked);
  await callDaemon(layout(checked.dir).socket, { method: 'reconfigure', config: checked }, onProgress);
}

import { z } from 'zod';

/*
 * The description of a network, as a program or a YAML file gives it. Everything below is checked once, here;
 * the rest of the package works with the resolved type.
 */

const name = (what: string, pattern: RegExp, rule: string) =>
  z.string().regex(pattern, { error: `${what} must be ${rule}` });

const mspId = name('an MSP id', /^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/, 'letters, digits, "." and "-"');
const domain = name(
  'a domain',
  /^(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
  'lower-case labels joined by dots',
);
const userName = name(
  'a user name',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'letters, digits, ".", "_" and "-"',
);
// Fabric's own rule for channel names (common/configtx, "configAllowedChars").
const channelName = name(
  'a channel name',
  /^[a-z][a-z0-9.-]{0,248}$/,
  'lower-case letters, digits, "." and "-"',
);
const port = z.int().min(1).max(65535);
const policy = z.string().min(1, { error: 'a policy must not be empty' });

const userSchema = z.strictObject({
  name: userName,
  /** Written into the certificate's attribute extension, as Fabric CA does. */
  attributes: z.record(z.string().min(1), z.string()).default({}),
  /** An administrator carries the node OU `admin` instead of `client`. */
  admin: z.boolean().default(false),
});

const organizationSchema = z.strictObject({
  mspId,
  domain,
  /** Whether the organisation runs a peer; one without connects through another organisation's. */
  peer: z.boolean(),
  /** Port of its peer; by default the next one from `basePort`. Further peers take the ports after it. */
  port: port.optional(),
  /** Native only: how many peers it runs; by default one. */
  peers: z.int().min(1).max(9).optional(),
  /** Users besides `Admin`, which every organisation has. */
  users: z.array(userSchema),
});

/** Zod schema of one channel's description. */
export const channelSchema = z.strictObject({
  name: channelName,
  /** MSP ids. */
  members: z.array(z.string()).min(1, { error: 'a channel needs a member' }),
  /** Signature policy, e.g. `OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')`. */
  endorsement: policy,
  /** Default: the endorsement policy. */
  lifecycleEndorsement: policy.optional(),
  /** Default: any administrator of a majority of the members with peers. */
  admins: policy.optional(),
  /** How long the orderer waits for more transactions before it cuts a block. */
  batchTimeoutMs: z.int().min(1).max(60_000).default(200),
});

/** Zod schema of a {@link NetworkConfig}. */
export const networkConfigSchema = z
  .strictObject({
    /** Everything that the network writes is below this directory. */
    dir: z.string().min(1),
    ordererMspId: mspId.default('OrdererMSP'),
    /** Default: the domain above the first organisation's. */
    ordererDomain: domain.optional(),
    /** `embedded`: a development ledger in Node. `native`: orderers and peers of Fabric's release. */
    backend: z.enum(['embedded', 'native']).default('embedded'),
    /** Native only: how transactions are ordered. */
    consensus: z.enum(['raft', 'bft']).default('raft'),
    /** Native only: number of orderers; by default one for Raft and four for SmartBFT. */
    orderers: z.int().min(1).max(16).optional(),
    /** Identities come from a `fabric-ca-server` for each organisation, found on PATH or in FABRIC_BIN_DIR. */
    fabricCa: z.boolean().default(false),
    /**
     * Where peers and orderers listen: for programs of this machine alone, or for clients of others as well. The nodes
     * know each other as `localhost` either way.
     */
    listenAddress: z.enum(['127.0.0.1', '0.0.0.0']).default('127.0.0.1'),
    /** Native only: peers serve those alone who show a TLS certificate of a member. */
    mutualTls: z.boolean().default(false),
    organizations: z.array(organizationSchema).min(1, { error: 'a network needs an organisation' }),
    channels: z.array(channelSchema),
    /** First port; peers take the ports from here on, chaincode processes those after them. */
    basePort: port.default(7051),
    /** Proposals whose timestamp is further away from the peer's clock are refused (Fabric's TimeWindowCheck). */
    timeWindowSeconds: z.int().min(1).default(900),
  })
  .superRefine((config, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const { organizations, channels } = config;

    organizations.forEach((organization, index) => {
      const at = (key: string) => ['organizations', index, key];
      const before = organizations.slice(0, index);
      if (organization.mspId === config.ordererMspId || before.some((o) => o.mspId === organization.mspId))
        refuse(at('mspId'), `the MSP id ${organization.mspId} is used twice`);
      if (before.some((o) => o.domain === organization.domain))
        refuse(at('domain'), `the domain ${organization.domain} is used twice`);
      const names = organization.users.map((user) => user.name);
      const twice = names.find((user, position) => names.indexOf(user) !== position);
      if (twice !== undefined)
        refuse(at('users'), `the user ${twice} of ${organization.mspId} is named twice`);
    });
    if (config.backend === 'embedded' && config.consensus === 'bft')
      refuse(['consensus'], 'the embedded network has a single orderer; SmartBFT needs the native backend');
    if (config.backend === 'embedded' && config.mutualTls)
      refuse(
        ['mutualTls'],
        'the embedded network asks nobody for a TLS certificate; the native backend does',
      );
    organizations.forEach(({ mspId: owner, peer, peers = 1 }, index) => {
      if (peers > 1 && (config.backend === 'embedded' || !peer))
        refuse(
          ['organizations', index, 'peers'],
          peer
            ? 'an organisation of the embedded network has one peer; the native backend runs more'
            : `${owner} runs no peer`,
        );
    });
    if (config.consensus === 'bft' && (config.orderers ?? 4) < 4)
      refuse(['orderers'], 'SmartBFT tolerates a faulty orderer only from four orderers on');
    peerPorts(config).forEach(({ mspId: owner, port: taken }, index, all) => {
      if (taken > 65535) refuse(['basePort'], `the peer of ${owner} would need port ${taken}`);
      const other = all.slice(0, index).find((peer) => peer.port === taken);
      if (other)
        refuse(['organizations'], `the peers of ${other.mspId} and ${owner} would share port ${taken}`);
    });
    channels.forEach((channel, index) => {
      const at = (key: string) => ['channels', index, key];
      if (channels.slice(0, index).some((other) => other.name === channel.name))
        refuse(at('name'), `the channel ${channel.name} is described twice`);
      const unknown = channel.members.find((member) => !organizations.some((o) => o.mspId === member));
      if (unknown !== undefined) refuse(at('members'), `${unknown} is not an organisation of this network`);
      else if (!channel.members.some((member) => organizations.find((o) => o.mspId === member)?.peer))
        refuse(at('members'), `no member of the channel ${channel.name} runs a peer`);
    });
  });

/** A network as its author describes it; what has a default may be left out. */
export type NetworkConfig = z.input<typeof networkConfigSchema>;

/** A checked network description with every default filled in. */
export type ResolvedConfig = z.output<typeof networkConfigSchema>;

export type OrganizationConfig = ResolvedConfig['organizations'][number];
export type UserConfig = OrganizationConfig['users'][number];
export type ChannelConfig = ResolvedConfig['channels'][number];

/** A peer's place in a network: its organisation, its number there and the port it listens on. */
export interface PeerPort {
  mspId: string;
  /** 0 for `peer0`. */
  index: number;
  port: number;
}

interface Ported {
  basePort: number;
  organizations: readonly {
    mspId: string;
    peer: boolean;
    port?: number | undefined;
    peers?: number | undefined;
  }[];
}

/** The peers of a network in the order of its organisations, those of one together. */
export function peerPorts({ basePort, organizations }: Ported): PeerPort[] {
  let next = basePort;
  return organizations.flatMap(({ mspId, peer, port: own, peers = 1 }) => {
    if (!peer) return [];
    const first = own ?? next;
    next += peers;
    return Array.from({ length: peers }, (_, index) => ({ mspId, index, port: first + index }));
  });
}

/** The port of each organisation's first peer, by MSP id. */
export function firstPeerPorts(config: Ported): Map<string, number> {
  const first = peerPorts(config).filter(({ index }) => index === 0);
  return new Map(first.map(({ mspId, port: own }) => [mspId, own]));
}

/** The first labels of the orderers' host names: `orderer`, `orderer2`, `orderer3`, ... as in fabric-samples. */
export function ordererNames({
  consensus,
  orderers = consensus === 'bft' ? 4 : 1,
}: Pick<ResolvedConfig, 'consensus' | 'orderers'>): string[] {
  return Array.from({ length: orderers }, (_, index) => (index === 0 ? 'orderer' : `orderer${index + 1}`));
}

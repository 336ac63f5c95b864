import { parseConfig } from '../config/index.js';
import { channelOptions } from '../daemon/embeddedConfig.js';
import { channelProfile, memberOrganization } from './channel-config.js';
import { ordererConfig } from './orderer-config.js';
import { peerConfig } from './peer-config.js';
import { nativePaths, ordererPaths, type NativePlan, type PeerNode } from './plan.js';

const organization = (name: string, peer: boolean) => ({
  mspId: `${name}MSP`,
  domain: `${name.toLowerCase()}.example.com`,
  peer,
  users: [],
});
const config = parseConfig({
  dir: '/network',
  organizations: [
    organization('A', true),
    organization('B', true),
    organization('C', true),
    organization('Guest', false),
  ],
  channels: [
    {
      name: 'all',
      members: ['AMSP', 'BMSP', 'CMSP', 'GuestMSP'],
      endorsement: "OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')",
      batchTimeoutMs: 150,
    },
  ],
});
const node = (name: string, mspId: string, port: number) => ({ name, mspId, port, operationsPort: port + 1 });
const plan: NativePlan = {
  consensus: 'raft',
  orderers: [{ ...node('orderer.example.com', 'OrdererMSP', 9000), adminPort: 9002 }],
  peers: config.organizations
    .filter(({ peer }) => peer)
    .map(({ mspId, domain }, index) => node(`peer0.${domain}`, mspId, 7051 + index)),
};

describe('configuration of a channel', () => {
  const channel = channelOptions(config.channels[0]!);
  const profile = (fabric: { bft: boolean }, of: NativePlan = plan) =>
    channelProfile(config, of, channel, fabric) as {
      Profiles: {
        Channel: {
          Capabilities: Record<string, boolean>;
          Orderer: Record<string, unknown>;
          Application: {
            Policies: Record<string, { Type: string; Rule: string }>;
            Organizations: { Name: string; AnchorPeers?: unknown }[];
          };
        };
      };
    };

  it('names the organisations with peers in every policy that decides something', () => {
    const { Policies } = profile({ bft: true }).Profiles.Channel.Application;
    const endorsement = { Type: 'Signature', Rule: "OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')" };
    expect(Policies).toMatchObject({
      Endorsement: endorsement,
      LifecycleEndorsement: endorsement,
      Admins: { Type: 'Signature', Rule: "OutOf(2,'AMSP.admin','BMSP.admin','CMSP.admin')" },
    });
  });

  it('takes organisations without a peer in as members, without an anchor peer', () => {
    const { Organizations } = profile({ bft: true }).Profiles.Channel.Application;
    expect(Organizations.map(({ Name }) => Name)).toStrictEqual(['AMSP', 'BMSP', 'CMSP', 'GuestMSP']);
    expect(Organizations[0]?.AnchorPeers).toStrictEqual([{ Host: 'localhost', Port: 7051 }]);
    expect(Organizations[3]?.AnchorPeers).toBeUndefined();
  });

  it('asks of each release the capabilities that it has', () => {
    expect(profile({ bft: true }).Profiles.Channel.Capabilities).toStrictEqual({ V3_0: true });
    expect(profile({ bft: false }).Profiles.Channel.Capabilities).toStrictEqual({ V2_0: true });
  });

  it('orders by Raft or by SmartBFT, with the block timeout of the description', () => {
    expect(profile({ bft: true }).Profiles.Channel.Orderer).toMatchObject({
      OrdererType: 'etcdraft',
      BatchTimeout: '150ms',
      EtcdRaft: { Consenters: [{ Port: 9000 }] },
    });
    expect(profile({ bft: true }, { ...plan, consensus: 'bft' }).Profiles.Channel.Orderer).toMatchObject({
      OrdererType: 'BFT',
      ConsenterMapping: [{ ID: 1, Port: 9000, MSPID: 'OrdererMSP' }],
      SmartBFT: { RequestBatchMaxInterval: '150ms' },
    });
  });
});

describe('configuration of nodes', () => {
  const peerNode = plan.peers[0]!;
  const ordererNode = plan.orderers[0]!;
  const second = node('peer1.a.example.com', 'AMSP', 7060);
  const peerOn = (listenAddress: string, others: readonly PeerNode[] = []) => ({
    node: peerNode,
    paths: nativePaths(config).peer(peerNode),
    others,
    listenAddress,
    data: '/network/ledger/peer0/data',
    builder: '/network/ledger/ccaas-builder',
    timeWindowSeconds: 60,
    clientAuthRequired: false,
    fabric: { timeWindowCheck: true },
  });
  const ordererOn = (listenAddress: string) => ({
    listenAddress,
    fabric: { bft: true },
    node: ordererNode,
    paths: ordererPaths(config, ordererNode),
    data: '/network/ledger/orderer/data',
    timeWindowSeconds: 60,
  });
  const peer = peerConfig(peerOn('127.0.0.1'));
  const orderer = ordererConfig(ordererOn('127.0.0.1'));

  it('checks the time of proposals', () => {
    expect(peer).toMatchObject({
      peer: {
        authentication: { timewindow: '60s' },
        handlers: { authFilters: expect.arrayContaining([{ name: 'TimeWindowCheck' }]) as unknown },
      },
    });
  });

  it.each([
    ['peer', peer],
    ['orderer', orderer],
  ])('serves the loopback interface alone, every service of the %s with TLS', (_, content) => {
    const found = entries(content);
    const addresses = found.filter(([key]) => /listenaddress$/i.test(key)).map(([, value]) => String(value));
    expect(addresses.length).toBeGreaterThan(1);
    for (const address of addresses) expect(address).toMatch(/^127\.0\.0\.1(:\d+)?$/);
    const tls = found.filter(([key]) => /\.tls\.enabled$/i.test(key)).map(([, value]) => value);
    expect(tls.length).toBeGreaterThan(1);
    expect(new Set(tls)).toStrictEqual(new Set([true]));
  });

  it('serves clients of other machines where it is told to, and nobody there by any other port', () => {
    const open = [peerConfig(peerOn('0.0.0.0')), ordererConfig(ordererOn('0.0.0.0'))].map((content) =>
      entries(content).filter(
        ([key, value]) => /listenaddress$/i.test(key) && /^0\.0\.0\.0/.test(String(value)),
      ),
    );
    expect(open).toStrictEqual([
      [['.peer.listenAddress', '0.0.0.0:7051']],
      [['.General.ListenAddress', '0.0.0.0']],
    ]);
  });

  it('has the peers of an organisation look for each other, and each take blocks from the orderers', () => {
    expect(peerConfig(peerOn('127.0.0.1', [second]))).toMatchObject({
      peer: {
        gossip: {
          bootstrap: 'localhost:7060',
          externalEndpoint: 'localhost:7051',
          useLeaderElection: false,
          orgLeader: true,
        },
      },
    });
    const both = { ...plan, peers: [peerNode, second] };
    expect(memberOrganization(config, both, 'AMSP')).toMatchObject({
      AnchorPeers: [
        { Host: 'localhost', Port: 7051 },
        { Host: 'localhost', Port: 7060 },
      ],
    });
  });

  it('asks whoever administers an orderer for a certificate', () => {
    expect(orderer).toMatchObject({ Admin: { TLS: { ClientAuthRequired: true } } });
  });
});

function entries(value: unknown, prefix = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[prefix, value]];
  return Object.entries(value).flatMap(([key, inner]) => entries(inner, `${prefix}.${key}`));
}

import type { ResolvedConfig } from '../config/index.js';
import { defaultBatch, type ChannelOptions } from '../embedded-options.js';
import { parsePolicy } from '../policy/channel-policies.js';
import { nativePaths, ordererPaths, organization, type NativePlan } from './plan.js';

/** Name of the profile that configtxgen is asked for. */
export const PROFILE = 'Channel';

interface Policy {
  Type: 'Signature' | 'ImplicitMeta';
  Rule: string;
}

/**
 * The `configtx.yaml` of one channel. The three policies that decide who endorses, who defines chaincode and who
 * changes the channel are the explicit ones of the network's description: Fabric's implicit majorities count
 * organisations without peers, and enough of these would block the channel for ever.
 *
 * @throws PolicySyntaxError
 */
export function channelProfile(
  config: ResolvedConfig,
  plan: NativePlan,
  channel: ChannelOptions,
  fabric: { readonly bft: boolean },
): unknown {
  const { endorsement } = channel;
  return {
    Profiles: {
      [PROFILE]: {
        Policies: implicitPolicies(),
        // V3_0 brings SmartBFT; Fabric 2.5 does not know it.
        Capabilities: { [fabric.bft ? 'V3_0' : 'V2_0']: true },
        Orderer: ordererSection(config, plan, channel),
        Application: {
          Organizations: channel.members.map((mspId) => memberOrganization(config, plan, mspId)),
          Capabilities: { V2_5: true },
          Policies: {
            ...implicitPolicies(),
            Admins: policy(channel.admins ?? administratorsOf(config, channel.members)),
            Endorsement: policy(endorsement),
            LifecycleEndorsement: policy(channel.lifecycleEndorsement ?? endorsement),
          },
        },
      },
    },
  };
}

/** Administrators of more than half of the members that run peers. */
export function administratorsOf(config: ResolvedConfig, members: readonly string[]): string {
  const withPeers = members.filter((mspId) => organization(config, mspId).peer);
  const majority = Math.floor(withPeers.length / 2) + 1;
  return `OutOf(${majority},${withPeers.map((mspId) => `'${mspId}.admin'`).join(',')})`;
}

/** An organisation as it stands in a channel: its authorities, its policies and, with a peer, its anchor peer. */
export function memberOrganization(config: ResolvedConfig, plan: NativePlan, mspId: string): unknown {
  const anchors = plan.peers.filter((peer) => peer.mspId === mspId);
  return {
    Name: mspId,
    ID: mspId,
    MSPDir: nativePaths(config).organization(mspId).msp,
    Policies: {
      Readers: policy(`OR('${mspId}.admin','${mspId}.peer','${mspId}.client')`),
      Writers: policy(`OR('${mspId}.admin','${mspId}.client')`),
      Admins: policy(`OR('${mspId}.admin')`),
      Endorsement: policy(`OR('${mspId}.peer')`),
    },
    ...(anchors.length > 0 && {
      AnchorPeers: anchors.map((peer) => ({ Host: 'localhost', Port: peer.port })),
    }),
  };
}

function ordererSection(config: ResolvedConfig, plan: NativePlan, channel: ChannelOptions): unknown {
  const mspId = config.ordererMspId;
  const { orderers } = nativePaths(config);
  const batch = { ...defaultBatch, ...channel.batch };
  const organizationEntry = {
    Name: mspId,
    ID: mspId,
    MSPDir: orderers.msp,
    Policies: {
      Readers: policy(`OR('${mspId}.member')`),
      Writers: policy(`OR('${mspId}.member')`),
      Admins: policy(`OR('${mspId}.admin')`),
    },
    OrdererEndpoints: plan.orderers.map((node) => `localhost:${node.port}`),
  };
  return {
    OrdererType: plan.consensus === 'bft' ? 'BFT' : 'etcdraft',
    BatchTimeout: `${batch.timeoutMs}ms`,
    BatchSize: {
      MaxMessageCount: batch.maxMessageCount,
      AbsoluteMaxBytes: batch.absoluteMaxBytes,
      PreferredMaxBytes: batch.preferredMaxBytes,
    },
    ...(plan.consensus === 'bft' ? smartBft(config, plan, batch.timeoutMs) : raft(config, plan)),
    Organizations: [organizationEntry],
    Capabilities: { V2_0: true },
    Policies: { ...implicitPolicies(), BlockValidation: policy('ANY Writers') },
  };
}

/** Raft: times for one machine, where messages take no time; a lost leader is replaced after two to four seconds. */
function raft(config: ResolvedConfig, plan: NativePlan): object {
  return {
    EtcdRaft: {
      Consenters: plan.orderers.map((node) => {
        const { tls } = ordererPaths(config, node);
        return {
          Host: 'localhost',
          Port: node.port,
          ClientTLSCert: tls.certificate,
          ServerTLSCert: tls.certificate,
        };
      }),
      Options: {
        TickInterval: '200ms',
        ElectionTick: 10,
        HeartbeatTick: 1,
        MaxInflightBlocks: 5,
        SnapshotIntervalSize: '16 MB',
      },
    },
  };
}

/** SmartBFT: times for one machine; orderers complain about a silent leader after six seconds. */
function smartBft(config: ResolvedConfig, plan: NativePlan, batchTimeoutMs: number): object {
  return {
    ConsenterMapping: plan.orderers.map((node, index) => {
      const { msp, tls } = ordererPaths(config, node);
      return {
        ID: index + 1,
        Host: 'localhost',
        Port: node.port,
        MSPID: node.mspId,
        Identity: msp.certificate,
        ClientTLSCert: tls.certificate,
        ServerTLSCert: tls.certificate,
      };
    }),
    SmartBFT: {
      RequestBatchMaxInterval: `${batchTimeoutMs}ms`,
      RequestForwardTimeout: '2s',
      RequestComplainTimeout: '6s',
      RequestAutoRemoveTimeout: '3m',
      ViewChangeResendInterval: '2s',
      ViewChangeTimeout: '10s',
      LeaderHeartbeatTimeout: '10s',
      LeaderHeartbeatCount: 10,
      CollectTimeout: '1s',
      IncomingMessageBufferSize: 200,
      RequestPoolSize: 1000,
    },
  };
}

function implicitPolicies(): Record<string, Policy> {
  return {
    Readers: policy('ANY Readers'),
    Writers: policy('ANY Writers'),
    Admins: policy('MAJORITY Admins'),
  };
}

function policy(text: string): Policy {
  // Read here once, so that a mistake is told in the words of the embedded network.
  return { Type: 'meta' in parsePolicy(text) ? 'ImplicitMeta' : 'Signature', Rule: text };
}

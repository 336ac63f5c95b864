import type { NodePaths } from '../certificates/index.js';
import type { FabricBinaries } from './binaries.js';
import type { PeerNode } from './plan.js';

/** What a peer's configuration depends on besides the peer itself. */
export interface PeerSettings {
  readonly node: PeerNode;
  readonly paths: NodePaths;
  /** The other peers of its organisation. */
  readonly others: readonly PeerNode[];
  /** Where it serves clients and other peers; its operations endpoint stays on the loopback interface. */
  readonly listenAddress: string;
  /** Where the peer keeps its ledgers. */
  readonly data: string;
  /** Folder of the external builder for chaincode as a service. */
  readonly builder: string;
  /** Largest distance between a proposal and the clock of the peer. */
  readonly timeWindowSeconds: number;
  /** Whether clients have to show a TLS certificate. */
  readonly clientAuthRequired: boolean;
  readonly fabric: Pick<FabricBinaries, 'timeWindowCheck'>;
}

const MEBIBYTE = 1024 * 1024;

/**
 * The `core.yaml` of a peer that depends on no other: it leads, pulls its blocks from the orderers, runs chaincode as a
 * service only and keeps its state in LevelDB. Settings as documented in Fabric's sample core.yaml.
 */
export function peerConfig({
  node,
  paths,
  others,
  listenAddress,
  data,
  builder,
  timeWindowSeconds,
  clientAuthRequired,
  fabric,
}: PeerSettings): unknown {
  const address = `localhost:${node.port}`;
  const { tls } = paths;
  return {
    peer: {
      id: node.name,
      networkId: 'strokeshare',
      listenAddress: `${listenAddress}:${node.port}`,
      address,
      // Chaincode as a service is dialled by the peer; this server, for chaincode that a peer launches, stays unused.
      chaincodeListenAddress: '127.0.0.1:0',
      addressAutoDetect: false,
      localMspId: node.mspId,
      mspConfigPath: paths.msp.dir,
      localMspType: 'bccsp',
      fileSystemPath: data,
      maxRecvMsgSize: 100 * MEBIBYTE,
      maxSendMsgSize: 100 * MEBIBYTE,
      gateway: { enabled: true, endorsementTimeout: '30s', broadcastTimeout: '30s', dialTimeout: '2m' },
      keepalive: {
        interval: '7200s',
        timeout: '20s',
        minInterval: '60s',
        client: { interval: '60s', timeout: '20s' },
        deliveryClient: { interval: '60s', timeout: '20s' },
      },
      gossip: gossip(address, others),
      tls: {
        enabled: true,
        clientAuthRequired,
        cert: { file: tls.certificate },
        key: { file: tls.key },
        rootcert: { file: tls.ca },
        clientRootCAs: { files: [tls.ca] },
      },
      // The moment in a proposal may differ this much from the peer's clock (handler TimeWindowCheck).
      authentication: { timewindow: `${timeWindowSeconds}s` },
      BCCSP: { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } },
      client: { connTimeout: '3s' },
      deliveryclient: {
        blockGossipEnabled: false,
        reconnectTotalTimeThreshold: '3600s',
        connTimeout: '3s',
        reConnectBackoffThreshold: '5s',
        blockCensorshipTimeoutKey: '5s',
        minimalReconnectInterval: '100ms',
        policy: 'cluster',
      },
      handlers: {
        authFilters: [
          { name: 'DefaultAuth' },
          { name: 'ExpirationCheck' },
          ...(fabric.timeWindowCheck ? [{ name: 'TimeWindowCheck' }] : []),
        ],
        decorators: [{ name: 'DefaultDecorator' }],
        endorsers: { escc: { name: 'DefaultEndorsement' } },
        validators: { vscc: { name: 'DefaultValidation' } },
      },
      discovery: {
        enabled: true,
        authCacheEnabled: true,
        authCacheMaxSize: 1000,
        authCachePurgeRetentionRatio: 0.75,
        orgMembersAllowedAccess: false,
      },
      limits: { concurrency: { endorserService: 2500, deliverService: 2500, gatewayService: 500 } },
    },
    // No container engine: whatever the external builder does not take cannot run.
    vm: { endpoint: '' },
    chaincode: {
      externalBuilders: [{ name: 'ccaas', path: builder, propagateEnvironment: [] }],
      installTimeout: '300s',
      startuptimeout: '60s',
      executetimeout: '30s',
      mode: 'net',
      keepalive: 0,
      system: { _lifecycle: 'enable', cscc: 'enable', lscc: 'enable', qscc: 'enable' },
      logging: { level: 'info', shim: 'warning' },
      runtimeParams: {
        useWriteBatch: true,
        maxSizeWriteBatch: 1000,
        useGetMultipleKeys: true,
        maxSizeGetMultipleKeys: 1000,
      },
    },
    ledger: {
      state: { stateDatabase: 'goleveldb', totalQueryLimit: 100_000 },
      history: { enableHistoryDatabase: true },
      pvtdataStore: {
        collElgProcMaxDbBatchSize: 5000,
        collElgProcDbBatchesInterval: 1000,
        deprioritizedDataReconcilerInterval: '60m',
        purgeInterval: 100,
        purgedKeyAuditLogging: true,
      },
      snapshots: { rootDir: `${data}/snapshots` },
    },
    operations: {
      listenAddress: `127.0.0.1:${node.operationsPort}`,
      tls: {
        enabled: true,
        cert: { file: tls.certificate },
        key: { file: tls.key },
        clientAuthRequired: false,
        clientRootCAs: { files: [tls.ca] },
      },
    },
    metrics: { provider: 'prometheus' },
  };
}

/**
 * Gossip between peers, by which they learn each other's address and chaincodes; those of one organisation find each
 * other by `bootstrap`, those of others by anchor peers. Each leads for itself, as Fabric recommends since 2.2: peers
 * take blocks from the orderers, so the loss of one costs the others nothing. The times are shorter than the sample's: on one machine a restarted peer should be found again at once.
 */
function gossip(address: string, others: readonly PeerNode[]): unknown {
  return {
    bootstrap: others.length === 0 ? address : others.map(({ port }) => `localhost:${port}`).join(' '),
    endpoint: '',
    externalEndpoint: address,
    useLeaderElection: false,
    orgLeader: true,
    membershipTrackerInterval: '5s',
    maxBlockCountToStore: 10,
    maxPropagationBurstLatency: '10ms',
    maxPropagationBurstSize: 10,
    propagateIterations: 1,
    propagatePeerNum: 3,
    pullInterval: '4s',
    pullPeerNum: 3,
    requestStateInfoInterval: '1s',
    publishStateInfoInterval: '1s',
    publishCertPeriod: '10s',
    skipBlockVerification: false,
    dialTimeout: '3s',
    connTimeout: '2s',
    recvBuffSize: 20,
    sendBuffSize: 200,
    digestWaitTime: '1s',
    requestWaitTime: '1500ms',
    responseWaitTime: '2s',
    aliveTimeInterval: '1s',
    aliveExpirationTimeout: '10s',
    reconnectInterval: '1s',
    // A peer of another organisation may be down for long: try for as long as this one runs.
    maxConnectionAttempts: 1_000_000,
    msgExpirationFactor: 20,
    election: {
      startupGracePeriod: '15s',
      membershipSampleInterval: '1s',
      leaderAliveThreshold: '10s',
      leaderElectionDuration: '5s',
    },
    pvtData: {
      pullRetryThreshold: '60s',
      transientstoreMaxBlockRetention: 20_000,
      pushAckTimeout: '3s',
      btlPullMargin: 10,
      reconcileBatchSize: 10,
      reconcileSleepInterval: '1m',
      reconciliationEnabled: true,
      skipPullingInvalidTransactionsDuringCommit: false,
      implicitCollectionDisseminationPolicy: { requiredPeerCount: 0, maxPeerCount: 1 },
    },
    state: {
      enabled: false,
      checkInterval: '10s',
      responseTimeout: '3s',
      batchSize: 10,
      blockBufferSize: 20,
      maxRetries: 3,
    },
  };
}

import type { NodePaths } from '../certificates/index.js';
import type { FabricBinaries } from './binaries.js';
import type { OrdererNode } from './plan.js';

const MEBIBYTE = 1024 * 1024;

const sinceFabric3 = {
  Backoff: { BaseDelay: '1s', Multiplier: 1.6, MaxDelay: '10s' },
  Throttling: { Rate: 0, InactivityTimeout: '5s' },
};

/**
 * The `orderer.yaml` of an orderer without a system channel: channels come by the participation API, which asks for a
 * client certificate of the ordering organisation. Settings as documented in Fabric's sample orderer.yaml.
 */
export function ordererConfig({
  node,
  paths,
  data,
  listenAddress,
  timeWindowSeconds,
  fabric,
}: {
  readonly node: OrdererNode;
  readonly paths: NodePaths;
  readonly data: string;
  /** For clients and other orderers; administration and operations stay on the loopback interface. */
  readonly listenAddress: string;
  readonly timeWindowSeconds: number;
  /** Fabric refuses a file with keys that it does not know yet. */
  readonly fabric: Pick<FabricBinaries, 'bft'>;
}): unknown {
  const { tls } = paths;
  const tlsServer = (clientAuthRequired: boolean) => ({
    Enabled: true,
    Certificate: tls.certificate,
    PrivateKey: tls.key,
    RootCAs: [tls.ca],
    ClientAuthRequired: clientAuthRequired,
    ClientRootCAs: [tls.ca],
  });
  return {
    General: {
      ListenAddress: listenAddress,
      ListenPort: node.port,
      TLS: tlsServer(false),
      Keepalive: { ServerMinInterval: '60s', ServerInterval: '7200s', ServerTimeout: '20s' },
      ...(fabric.bft && sinceFabric3),
      MaxRecvMsgSize: 100 * MEBIBYTE,
      MaxSendMsgSize: 100 * MEBIBYTE,
      // Orderers reach each other over their own TLS certificate, which serves as a client's as well.
      Cluster: {
        SendBufferSize: 100,
        RPCTimeout: '3s',
        ClientCertificate: tls.certificate,
        ClientPrivateKey: tls.key,
      },
      BootstrapMethod: 'none',
      LocalMSPDir: paths.msp.dir,
      LocalMSPID: node.mspId,
      BCCSP: { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } },
      Authentication: { TimeWindow: `${timeWindowSeconds}s` },
    },
    FileLedger: { Location: `${data}/ledger` },
    Operations: { ListenAddress: `127.0.0.1:${node.operationsPort}`, TLS: tlsServer(false) },
    Metrics: { Provider: 'prometheus' },
    Admin: { ListenAddress: `127.0.0.1:${node.adminPort}`, TLS: tlsServer(true) },
    ChannelParticipation: { Enabled: true, MaxRequestBodySize: '16 MB' },
    Consensus: { WALDir: `${data}/wal`, SnapDir: `${data}/snapshots` },
  };
}

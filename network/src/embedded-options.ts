/**
 * What an embedded network is made of. Certificates and keys come in as PEM text: this part of the package never reads
 * the `organizations/` tree itself, so that a test can hand it material from memory.
 */

/** A certificate and its private key, both PEM (the key PKCS#8 or SEC1, EC P-256 or P-384). */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The peer of one organisation: the identity that endorses, the TLS pair it serves with, the address it listens on. */
export interface PeerOptions {
  /** Host name in the TLS certificate, for example `peer0.hospital1.example`. */
  readonly name: string;
  readonly signing: KeyPair;
  readonly tls: KeyPair;
  /** `host:port` to listen on; port 0 takes a free one (see `EmbeddedNetwork.peerAddress`). */
  readonly listenAddress: string;
}

/** An organisation of the network. Without `peer` it has members who act through other organisations' peers. */
export interface OrganizationOptions {
  readonly mspId: string;
  readonly rootCertificates: readonly string[];
  readonly intermediateCertificates?: readonly string[];
  readonly tlsRootCertificates: readonly string[];
  /** PEM certificate revocation lists signed by one of the certificates above. */
  readonly revocationLists?: readonly string[];
  readonly peer?: PeerOptions;
  /** An identity with the NodeOU role `admin`; needed in organisations that commit chaincode definitions. */
  readonly admin?: KeyPair;
}

/** One channel. Policies are signature policies (`OutOf(2,'A.peer',...)`) or `ANY|ALL|MAJORITY <name>`. */
export interface ChannelOptions {
  readonly name: string;
  readonly members: readonly string[];
  readonly endorsement: string;
  /** Default: the same text as `endorsement`. */
  readonly lifecycleEndorsement?: string;
  /** Default: `MAJORITY Admins`. */
  readonly admins?: string;
  readonly batch?: Partial<BatchOptions>;
}

/** The orderer's rules for cutting blocks, with Fabric's meanings. */
export interface BatchOptions {
  readonly timeoutMs: number;
  readonly maxMessageCount: number;
  readonly absoluteMaxBytes: number;
  readonly preferredMaxBytes: number;
}

/** Batch rules of Fabric's test-network, but with the short timeout of a development ledger. */
export const defaultBatch: BatchOptions = {
  timeoutMs: 200,
  maxMessageCount: 10,
  absoluteMaxBytes: 99 * 1024 * 1024,
  preferredMaxBytes: 512 * 1024,
};

export interface EmbeddedOptions {
  /** Folder of the ledgers; created if missing. */
  readonly dir: string;
  readonly organizations: readonly OrganizationOptions[];
  readonly orderer: {
    readonly mspId: string;
    readonly rootCertificates: readonly string[];
    readonly signing: KeyPair;
  };
  readonly channels: readonly ChannelOptions[];
  /** Lists of an organisation beside those above; asked whenever a channel is opened or created. */
  readonly revocationLists?: (mspId: string) => readonly string[];
  /** Proposals whose timestamp is further away than this are refused; default 900. */
  readonly timeWindowSeconds?: number;
  /** Longest run of one transaction in a chaincode process, default 30 000. */
  readonly executeTimeoutMs?: number;
  readonly log?: (message: string) => void;
}

/** A chaincode definition and where each organisation's process of it listens. */
export interface ChaincodeDeployment {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** Signature policy or `ANY|ALL|MAJORITY <name>`; without it the channel's endorsement policy applies. */
  readonly endorsementPolicy?: string;
  /** By MSP id: `host:port` of the organisation's chaincode server and the package id that it registers with. */
  readonly organizations: Readonly<Record<string, { readonly address: string; readonly packageId: string }>>;
}

export interface EmbeddedStatus {
  readonly peers: readonly { readonly mspId: string; readonly name: string; readonly address: string }[];
  readonly channels: readonly {
    readonly name: string;
    readonly members: readonly string[];
    /** Blocks held by each peer, by MSP id. */
    readonly heights: Readonly<Record<string, number>>;
    readonly ordererHeight: number;
    /** Damaged block files that were found so far, by MSP id of the peer or of the orderer. */
    readonly damage?: Readonly<Record<string, string>>;
    readonly chaincodes: readonly ChaincodeStatus[];
  }[];
}

export interface ChaincodeStatus {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** By MSP id: is the peer's stream to the chaincode process ready, and if not, why. */
  readonly connections: Readonly<Record<string, { readonly ready: boolean; readonly reason?: string }>>;
}

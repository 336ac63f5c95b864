import type { ResolvedConfig } from '../config/schema.js';
import type { ChaincodeDeployment, ChannelOptions, EmbeddedStatus } from '../embedded-options.js';
import type { Deployment, FabricStatus } from './protocol.js';

/** As what a chaincode process runs. */
export interface ServiceIdentity {
  readonly packageId: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What the daemon needs of the ledger that it hosts. */
export interface Ledger {
  /** Connects the peers to a chaincode's processes and commits its definition, if it is not the one in force. */
  defineChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void>;
  /** Connects the peers to a chaincode that was committed before, now that its processes run again. */
  connectChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void>;
  createChannel(channel: ChannelOptions): Promise<void>;
  /** Changes organisations and channels to those of `config`, where the ledger can while it runs. */
  reconfigure?(config: ResolvedConfig, progress: (sentence: string) => void): Promise<void>;
  status(): EmbeddedStatus | Promise<EmbeddedStatus & { readonly fabric: FabricStatus }>;
  /**
   * The package id under which an organisation's chaincode process at this address registers, and what is added to its
   * environment, where the ledger makes its own packages.
   */
  service?(code: Deployment, mspId: string, address: string): Promise<ServiceIdentity>;
  /** Reads all blocks and follows their hashes; `status` tells what is damaged. */
  verify?(): Promise<void>;
  close(): Promise<void>;
}

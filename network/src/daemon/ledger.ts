import type { ResolvedConfig } from '../config/schema.js';
import type { ChaincodeDeployment, ChannelOptions, EmbeddedStatus } from '../embedded-options.js';
import type { FabricStatus } from './protocol.js';

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
   * The package id under which a chaincode process at this address registers, where the ledger makes its own packages.
   * `label` and `packageId` are those of the code.
   */
  servicePackageId?(
    code: { readonly label: string; readonly packageId: string },
    address: string,
  ): Promise<string>;
  /** Reads all blocks and follows their hashes; `status` tells what is damaged. */
  verify?(): Promise<void>;
  close(): Promise<void>;
}

import type { ChaincodeDeployment, ChannelOptions, EmbeddedStatus } from '../embedded-options.js';

/** What the daemon needs of the ledger that it hosts. */
export interface Ledger {
  /** Connects the peers to a chaincode's processes and commits its definition, if it is not the one in force. */
  defineChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void>;
  /** Connects the peers to a chaincode that was committed before, now that its processes run again. */
  connectChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void>;
  createChannel(channel: ChannelOptions): Promise<void>;
  status(): EmbeddedStatus;
  close(): Promise<void>;
}

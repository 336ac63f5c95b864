import type { ChaincodeDeployment, ChannelOptions, EmbeddedStatus } from '../embedded-options.js';

/** What the daemon needs of the ledger that it hosts. */
export interface Ledger {
  /** Commits a chaincode definition on a channel and waits until every organisation's peer can call it. */
  defineChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void>;
  /** Calls a chaincode that was committed before, now that its processes run again. */
  connectChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void>;
  createChannel(channel: ChannelOptions): Promise<void>;
  status(): EmbeddedStatus;
  close(): Promise<void>;
}

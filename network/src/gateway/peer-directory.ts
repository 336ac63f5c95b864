import { type BroadcastResult } from '../orderer/orderer.js';
import { type PeerChannel } from '../endorser/channel.js';
import { type Endorser, isSystemChaincode } from '../endorser/endorser.js';

/** A peer of the network as a gateway uses it. */
export interface GatewayPeer {
  readonly mspId: string;
  /** `host:port`, for error details. */
  readonly address: string;
  readonly endorser: Endorser;
  channel(name: string): PeerChannel | undefined;
  /** True if the chaincode is defined on the channel and the organisation has a process for it. */
  hasChaincode(channel: string, chaincode: string): boolean;
}

/** What a gateway knows of its network; discovery plays this part in Fabric. */
export interface PeerDirectory {
  /** The channel's peers; empty where there is no such channel. */
  peersOf(channel: string): readonly GatewayPeer[];
  /** Undefined where there is no such channel. */
  broadcast(channel: string, envelope: Uint8Array): BroadcastResult | undefined;
}

/** Peers of the channel that can run the chaincode. */
export function peersWithChaincode(
  directory: PeerDirectory,
  channel: string,
  chaincode: string,
): GatewayPeer[] {
  return directory
    .peersOf(channel)
    .filter((candidate) => isSystemChaincode(chaincode) || candidate.hasChaincode(channel, chaincode));
}

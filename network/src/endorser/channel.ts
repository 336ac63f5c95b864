import { type peer } from '@hyperledger/fabric-protos';
import { lifecycleNamespace, type ChaincodeDefinition, definedNames } from '../ledger/lifecycle-state.js';
import { type PeerLedger } from '../ledger/peer-ledger.js';
import { type ChannelPolicies } from '../policy/channel-policies.js';
import { isSignedBy, unpackProposal } from './proposal.js';

/** A channel as one peer is in it. */
export interface PeerChannel {
  readonly name: string;
  readonly policies: ChannelPolicies;
  readonly ledger: PeerLedger;
}

export const writersPolicy = '/Channel/Application/Writers';
export const readersPolicy = '/Channel/Application/Readers';

/** Null if the creator of a proposal satisfies the channel's policy, otherwise Fabric's text. */
export function checkProposal(
  channel: PeerChannel,
  path: string,
  signed: peer.SignedProposal,
): string | null {
  const creator = unpackProposal(signed).signatureHeader.getCreator_asU8();
  const data = {
    data: signed.getProposalBytes_asU8(),
    identity: creator,
    signature: signed.getSignature_asU8(),
  };
  return channel.policies.checkSigned(channel.name, path, [data], (identity) => isSignedBy(signed, identity));
}

/** The committed definition of a chaincode, if there is one. */
export function chaincodeDefinition(channel: PeerChannel, name: string): ChaincodeDefinition | undefined {
  return channel.ledger.definition(name);
}

/** Names of the chaincodes that are defined on the channel. */
export async function definedChaincodes(channel: PeerChannel): Promise<string[]> {
  const names: string[] = [];
  const iterator = channel.ledger.state.range(lifecycleNamespace, definedNames.start, definedNames.end);
  try {
    for (let entry = await iterator.next(); entry; entry = await iterator.next()) {
      names.push(definedNames.nameOf(entry.key));
    }
  } finally {
    await iterator.close();
  }
  return names;
}

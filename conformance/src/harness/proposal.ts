import { randomBytes } from 'node:crypto';
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { common, peer } from '@hyperledger/fabric-protos';
import type { Bed } from './bed.js';
import { chaincodes, shared } from './layout.js';
import { type Credentials, serializedIdentity } from './pki.js';
import { sha256, sign } from './signature.js';

/** A proposal, each part of which a scenario may choose. */
export interface ProposalParts {
  readonly creator: Credentials;
  readonly channel: string;
  readonly chaincode: string;
  readonly args: readonly string[];
  readonly transient?: Readonly<Record<string, string>>;
  /** `null` leaves it out. */
  readonly timestamp?: Date | null;
  readonly nonce?: Uint8Array;
  /** Default: what nonce and creator give. */
  readonly txId?: string;
  /** Default: the serialized creator. */
  readonly creatorBytes?: Uint8Array;
  readonly type?: common.HeaderTypeMap[keyof common.HeaderTypeMap];
  readonly epoch?: number;
  /** Chaincode named in the header; default: the one that is called. */
  readonly headerChaincode?: string;
}

export interface BuiltProposal {
  readonly txId: string;
  readonly bytes: Uint8Array;
}

/** Builds a proposal as a client does. */
export function buildProposal(parts: ProposalParts): BuiltProposal {
  const { channel, chaincode, args, transient = {}, timestamp = new Date() } = parts;
  const nonce = parts.nonce ?? randomBytes(24);
  const creator = parts.creatorBytes ?? serializedIdentity(parts.creator);
  const txId = parts.txId ?? sha256(nonce, creator).toString('hex');

  const extension = new peer.ChaincodeHeaderExtension();
  const headerId = new peer.ChaincodeID();
  headerId.setName(parts.headerChaincode ?? chaincode);
  extension.setChaincodeId(headerId);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(parts.type ?? common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTxId(txId);
  if (timestamp) channelHeader.setTimestamp(Timestamp.fromDate(timestamp));
  channelHeader.setChannelId(channel);
  channelHeader.setEpoch(parts.epoch ?? 0);
  channelHeader.setExtension$(extension.serializeBinary());
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creator);
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());

  const payload = proposalPayload(chaincode, args);
  for (const [name, value] of Object.entries(transient))
    payload.getTransientmapMap().set(name, Buffer.from(value));

  const proposal = new peer.Proposal();
  proposal.setHeader(header.serializeBinary());
  proposal.setPayload(payload.serializeBinary());
  return { txId, bytes: proposal.serializeBinary() };
}

/** What a client wants called. */
export function proposalPayload(chaincode: string, args: readonly string[]): peer.ChaincodeProposalPayload {
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  const input = new peer.ChaincodeInput();
  input.setArgsList(args.map((arg) => Buffer.from(arg)));
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.NODE);
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  return payload;
}

/** A proposal with the signature of its creator, or with another one. */
export async function signProposal(
  { bytes }: BuiltProposal,
  creator: Credentials,
  alter: (signature: Uint8Array) => Uint8Array = (signature) => signature,
): Promise<peer.SignedProposal> {
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(bytes);
  signed.setSignature(alter(await sign(creator.key, bytes)));
  return signed;
}

/** Proposals to write a key of their own to the chaincode that has everything. */
export function putProposal(bed: () => Bed) {
  return (creator: Credentials, more: Partial<ProposalParts> = {}): ProposalParts => ({
    creator,
    channel: shared,
    chaincode: chaincodes.everything.name,
    args: ['put', bed().unique('member'), 'x'],
    ...more,
  });
}

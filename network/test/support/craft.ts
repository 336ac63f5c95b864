import { common, peer } from '@hyperledger/fabric-protos';
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { prepareTransaction } from '../../src/gateway/prepare-transaction.js';
import { ReadWriteSetBuilder } from '../../src/ledger/read-write-set.js';
import { type Signer } from '../../src/msp/identity.js';
import { proposalHash, TransactionEnvelope, transactionId } from '../../src/protos/transaction.js';

/** A transaction as a client and its endorsers would have made it, with every part open to be spoilt. */
export interface CraftOptions {
  readonly channel: string;
  readonly creator: Signer;
  readonly endorsers: readonly Signer[];
  readonly chaincode: string;
  readonly version?: string;
  readonly readWriteSet: (set: ReadWriteSetBuilder) => void;
  readonly event?: { readonly name: string; readonly chaincode?: string };
  readonly revise?: {
    readonly channelHeader?: (header: common.ChannelHeader) => void;
    readonly payload?: (payload: Uint8Array) => Uint8Array;
    readonly endorsement?: (endorsement: peer.Endorsement, signer: Signer, payload: Uint8Array) => void;
    readonly envelope?: (envelope: common.Envelope) => void;
    readonly signature?: (signature: Buffer) => Uint8Array;
  };
}

export function craftEnvelope(options: CraftOptions): common.Envelope {
  const { channel, creator, endorsers, chaincode, version = '1.0', event, revise = {} } = options;
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  id.setVersion(version);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  const signatureHeader = creator.signatureHeader();
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setChannelId(channel);
  channelHeader.setTimestamp(Timestamp.fromDate(new Date()));
  channelHeader.setTxId(transactionId(signatureHeader.getNonce_asU8(), signatureHeader.getCreator_asU8()));
  channelHeader.setExtension$(extension.serializeBinary());
  revise.channelHeader?.(channelHeader);
  const headerBytes = {
    channel: channelHeader.serializeBinary(),
    signature: signatureHeader.serializeBinary(),
  };
  const visiblePayload = new peer.ChaincodeProposalPayload().serializeBinary();

  const set = new ReadWriteSetBuilder();
  options.readWriteSet(set);
  const action = new peer.ChaincodeAction();
  action.setResults(set.build().toBuffer());
  action.setChaincodeId(id);
  if (event) {
    const message = new peer.ChaincodeEvent();
    message.setChaincodeId(event.chaincode ?? chaincode);
    message.setEventName(event.name);
    message.setTxId(channelHeader.getTxId());
    action.setEvents(message.serializeBinary());
  }
  const response = new peer.ProposalResponsePayload();
  response.setProposalHash(proposalHash(headerBytes.channel, headerBytes.signature, visiblePayload));
  response.setExtension$(action.serializeBinary());
  const signedPayload = response.serializeBinary();
  const endorsements = endorsers.map((signer) => {
    const endorsement = new peer.Endorsement();
    endorsement.setEndorser(signer.serialized);
    endorsement.setSignature(signer.sign(Buffer.concat([signedPayload, signer.serialized])));
    revise.endorsement?.(endorsement, signer, signedPayload);
    return endorsement;
  });
  const payload = revise.payload?.(signedPayload) ?? signedPayload;
  const envelope = prepareTransaction({ headerBytes, visiblePayload }, { payload, endorsements });
  const signature = creator.sign(envelope.getPayload_asU8());
  envelope.setSignature(revise.signature?.(signature) ?? signature);
  revise.envelope?.(envelope);
  return envelope;
}

export function craft(options: CraftOptions): TransactionEnvelope {
  return new TransactionEnvelope(craftEnvelope(options).serializeBinary());
}

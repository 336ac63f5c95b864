import { common, ledger, peer } from '@hyperledger/fabric-protos';
import type { Credentials } from './pki.js';
import { sign } from './signature.js';

/** The parts of a prepared transaction, deserialized down to the read-write set. */
export interface TransactionParts {
  channelHeader: common.ChannelHeader;
  signatureHeader: common.SignatureHeader;
  transaction: peer.Transaction;
  action: peer.TransactionAction;
  actionPayload: peer.ChaincodeActionPayload;
  endorsed: peer.ChaincodeEndorsedAction;
  responsePayload: peer.ProposalResponsePayload;
  chaincodeAction: peer.ChaincodeAction;
  results: ledger.rwset.TxReadWriteSet;
}

/** Takes a prepared transaction apart. */
export function unpackTransaction(envelope: common.Envelope): TransactionParts {
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  const header = payload.getHeader() ?? new common.Header();
  const transaction = peer.Transaction.deserializeBinary(payload.getData_asU8());
  const [action] = transaction.getActionsList();
  if (!action) throw new Error('the transaction has no action');
  const actionPayload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
  const endorsed = actionPayload.getAction() ?? new peer.ChaincodeEndorsedAction();
  const responsePayload = peer.ProposalResponsePayload.deserializeBinary(
    endorsed.getProposalResponsePayload_asU8(),
  );
  const chaincodeAction = peer.ChaincodeAction.deserializeBinary(responsePayload.getExtension_asU8());
  return {
    channelHeader: common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8()),
    signatureHeader: common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()),
    transaction,
    action,
    actionPayload,
    endorsed,
    responsePayload,
    chaincodeAction,
    results: ledger.rwset.TxReadWriteSet.deserializeBinary(chaincodeAction.getResults_asU8()),
  };
}

/** Serializes the results into the payload that endorsers sign. */
export function repack({ results, chaincodeAction, responsePayload, endorsed }: TransactionParts): void {
  chaincodeAction.setResults(results.serializeBinary());
  responsePayload.setExtension$(chaincodeAction.serializeBinary());
  endorsed.setProposalResponsePayload(responsePayload.serializeBinary());
}

/** Puts the parts together again; nothing is signed. */
export function packTransaction(parts: TransactionParts): common.Envelope {
  const { transaction, action, actionPayload, endorsed } = parts;
  repack(parts);
  actionPayload.setAction(endorsed);
  action.setPayload(actionPayload.serializeBinary());
  transaction.setActionsList([action]);
  const header = new common.Header();
  header.setChannelHeader(parts.channelHeader.serializeBinary());
  header.setSignatureHeader(parts.signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(transaction.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope;
}

/** Changes a prepared transaction by hand. */
export function alterTransaction(
  envelope: common.Envelope,
  alter: (parts: TransactionParts) => void,
): common.Envelope {
  const parts = unpackTransaction(envelope);
  alter(parts);
  return packTransaction(parts);
}

/** The read-write set of one chaincode in a transaction, for a change. */
export function alterReadWriteSet(
  parts: TransactionParts,
  namespace: string,
  alter: (set: ledger.rwset.kvrwset.KVRWSet) => void,
): void {
  const entry = parts.results.getNsRwsetList().find((candidate) => candidate.getNamespace() === namespace);
  if (!entry) throw new Error(`the transaction has nothing of ${namespace}`);
  const set = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(entry.getRwset_asU8());
  alter(set);
  entry.setRwset(set.serializeBinary());
}

/** Sets the first value that a transaction writes. */
export function alterValue(parts: TransactionParts, value: string): void {
  alterReadWriteSet(parts, 'everything', (set) => set.getWritesList()[0]?.setValue(Buffer.from(value)));
}

/** Lets a transaction have read another version than it did. */
export function alterReadVersion(parts: TransactionParts): void {
  alterReadWriteSet(parts, 'everything', (set) => {
    const version = new ledger.rwset.kvrwset.Version();
    version.setBlockNum(1);
    set.getReadsList()[0]?.setVersion(version);
  });
}

/** Changes the event of a transaction. */
export function alterEvent(parts: TransactionParts, alter: (event: peer.ChaincodeEvent) => void): void {
  const event = peer.ChaincodeEvent.deserializeBinary(parts.chaincodeAction.getEvents_asU8());
  alter(event);
  parts.chaincodeAction.setEvents(event.serializeBinary());
}

/** Signs a transaction's payload in place. */
export async function signEnvelope(
  envelope: common.Envelope,
  signer: Credentials,
  alter: (signature: Uint8Array) => Uint8Array = (signature) => signature,
): Promise<common.Envelope> {
  const bytes = envelope.getPayload_asU8();
  envelope.setSignature(alter(await sign(signer.key, bytes)));
  return envelope;
}

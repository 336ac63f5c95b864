import { common, peer } from '@hyperledger/fabric-protos';
import { type Proposal } from '../endorser/proposal.js';

/** The unsigned transaction of a proposal and its endorsements, for the client to sign. */
export function prepareTransaction(
  proposal: Pick<Proposal, 'headerBytes' | 'visiblePayload'>,
  completed: { readonly payload: Uint8Array; readonly endorsements: readonly peer.Endorsement[] },
): common.Envelope {
  const endorsed = new peer.ChaincodeEndorsedAction();
  endorsed.setProposalResponsePayload(completed.payload);
  endorsed.setEndorsementsList([...completed.endorsements]);
  const actionPayload = new peer.ChaincodeActionPayload();
  actionPayload.setChaincodeProposalPayload(proposal.visiblePayload);
  actionPayload.setAction(endorsed);
  const action = new peer.TransactionAction();
  action.setHeader(proposal.headerBytes.signature);
  action.setPayload(actionPayload.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList([action]);
  const header = new common.Header();
  header.setChannelHeader(proposal.headerBytes.channel);
  header.setSignatureHeader(proposal.headerBytes.signature);
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(transaction.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope;
}

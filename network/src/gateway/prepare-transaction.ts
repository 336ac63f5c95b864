import { common, type peer } from '@hyperledger/fabric-protos';
import { type Proposal } from '../endorser/proposal.js';
import { bytesField, delimitedField, wire } from '../protos/wire.js';

/** The unsigned transaction of a proposal and its endorsements, for the client to sign. */
export function prepareTransaction(
  proposal: Pick<Proposal, 'headerBytes' | 'visiblePayload'>,
  completed: { readonly payload: Uint8Array; readonly endorsements: readonly peer.Endorsement[] },
): common.Envelope {
  const { channel, signature } = proposal.headerBytes;
  const endorsedAction = wire(
    bytesField(1, completed.payload),
    ...completed.endorsements.map((endorsement) => delimitedField(2, endorsement.serializeBinary())),
  );
  const actionPayload = wire(bytesField(1, proposal.visiblePayload), delimitedField(2, endorsedAction));
  const action = wire(bytesField(1, signature), bytesField(2, actionPayload));
  const transaction = delimitedField(1, action);
  const header = wire(bytesField(1, channel), bytesField(2, signature));
  const envelope = new common.Envelope();
  envelope.setPayload(wire(delimitedField(1, header), bytesField(2, transaction)).toBuffer());
  return envelope;
}

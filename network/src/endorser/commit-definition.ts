import { common, peer } from '@hyperledger/fabric-protos';
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { EmbeddedError } from '../embedded-error.js';
import { prepareTransaction } from '../gateway/prepare-transaction.js';
import { responseStatus } from '../gateway/response-status.js';
import { type ChaincodeDefinition, lifecycleNamespace } from '../ledger/lifecycle-state.js';
import { type PeerLedger } from '../ledger/peer-ledger.js';
import { type Signer } from '../msp/identity.js';
import { type OrdererChannel } from '../orderer/orderer.js';
import { Code, codeName, TransactionEnvelope, transactionId } from '../protos/transaction.js';
import { type Endorser } from './endorser.js';
import { commitDefinitionArguments } from './lifecycle.js';
import { unpackProposal } from './proposal.js';

const commitTimeoutMs = 60_000;

/**
 * Commits a chaincode definition as a transaction of the administrator, endorsed by all peers of the channel, and waits
 * until all have it.
 *
 * @throws EmbeddedError DEFINITION_REFUSED
 */
export async function commitDefinition(
  channel: string,
  orderer: OrdererChannel,
  peers: readonly { readonly endorser: Endorser; readonly ledger: PeerLedger }[],
  administrator: Signer,
  definition: ChaincodeDefinition,
): Promise<void> {
  const refused = (reason: string): EmbeddedError =>
    new EmbeddedError(
      'DEFINITION_REFUSED',
      `The definition of chaincode ${definition.name} was not committed on ${channel}: ${reason}.`,
    );
  const { signed, txId } = lifecycleProposal(administrator, channel, commitDefinitionArguments(definition));
  const endorsements: peer.Endorsement[] = [];
  let payload: Uint8Array = new Uint8Array(0);
  for (const { endorser } of peers) {
    const answer = responseStatus(await endorser.process(signed));
    if (!answer.ok) throw refused(answer.message);
    const endorsement = answer.response.getEndorsement();
    if (endorsement) endorsements.push(endorsement);
    payload = answer.response.getPayload_asU8();
  }
  const envelope = prepareTransaction(unpackProposal(signed), { payload, endorsements });
  envelope.setSignature(administrator.sign(envelope.getPayload_asU8()));
  const timeout = AbortSignal.timeout(commitTimeoutMs);
  const committed = peers.map(({ ledger }) => ledger.transactionStatus(txId, timeout));
  const { status, info } = orderer.broadcast(new TransactionEnvelope(envelope.serializeBinary()));
  if (status !== common.Status.SUCCESS) throw refused(info);
  for (const result of await Promise.all(committed)) {
    if (!result) throw refused('it was not committed in time');
    if (result.code !== Code.VALID) throw refused(codeName(result.code));
  }
}

function lifecycleProposal(
  signer: Signer,
  channel: string,
  args: readonly Uint8Array[],
): { signed: peer.SignedProposal; txId: string } {
  const id = new peer.ChaincodeID();
  id.setName(lifecycleNamespace);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  const signatureHeader = signer.signatureHeader();
  const txId = transactionId(signatureHeader.getNonce_asU8(), signatureHeader.getCreator_asU8());
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTxId(txId);
  channelHeader.setTimestamp(Timestamp.fromDate(new Date()));
  channelHeader.setChannelId(channel);
  channelHeader.setExtension$(extension.serializeBinary());
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());

  const input = new peer.ChaincodeInput();
  input.setArgsList([...args]);
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.NODE);
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  const proposal = new peer.Proposal();
  proposal.setHeader(header.serializeBinary());
  proposal.setPayload(payload.serializeBinary());
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.serializeBinary());
  signed.setSignature(signer.sign(signed.getProposalBytes_asU8()));
  return { signed, txId };
}

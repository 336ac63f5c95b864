import type { Client, ServiceError } from '@grpc/grpc-js';
import { common, gateway, orderer, peer } from '@hyperledger/fabric-protos';
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { randomBytes } from 'node:crypto';
import { type Credentials, serializedIdentity } from './pki.js';
import { type BuiltProposal, buildProposal, type ProposalParts, signProposal } from './proposal.js';
import { sha256, sign } from './signature.js';
import { signEnvelope } from './transaction.js';

type Method = 'Evaluate' | 'Endorse' | 'Submit' | 'CommitStatus';
interface Message {
  serializeBinary(): Uint8Array;
}

/** The messages of a peer's services, sent as they are: what the client library would never send. */
export class RawGateway {
  constructor(private readonly client: Client) {}

  async evaluate(
    proposal: BuiltProposal,
    signed: peer.SignedProposal,
    channel: string,
  ): Promise<peer.Response> {
    const request = new gateway.EvaluateRequest();
    request.setTransactionId(proposal.txId);
    request.setChannelId(channel);
    request.setProposedTransaction(signed);
    const response = await this.unary('Evaluate', request, gateway.EvaluateResponse.deserializeBinary);
    return response.getResult() ?? new peer.Response();
  }

  /** Returns the prepared transaction, without its creator's signature. */
  async endorse(
    proposal: { readonly txId: string },
    signed: peer.SignedProposal | undefined,
    channel: string,
    organizations: readonly string[] = [],
  ): Promise<common.Envelope> {
    const request = new gateway.EndorseRequest();
    request.setTransactionId(proposal.txId);
    request.setChannelId(channel);
    if (signed) request.setProposedTransaction(signed);
    request.setEndorsingOrganizationsList([...organizations]);
    const response = await this.unary('Endorse', request, gateway.EndorseResponse.deserializeBinary);
    return response.getPreparedTransaction() ?? new common.Envelope();
  }

  async submit(txId: string, channel: string, transaction: common.Envelope | undefined): Promise<void> {
    const request = new gateway.SubmitRequest();
    request.setTransactionId(txId);
    request.setChannelId(channel);
    if (transaction) request.setPreparedTransaction(transaction);
    await this.unary('Submit', request, gateway.SubmitResponse.deserializeBinary);
  }

  async commitStatus(
    txId: string,
    channel: string,
    asker: Credentials,
    alter: (signature: Uint8Array) => Uint8Array = (signature) => signature,
  ): Promise<{ code: number; block: number }> {
    const request = new gateway.CommitStatusRequest();
    request.setTransactionId(txId);
    request.setChannelId(channel);
    request.setIdentity(serializedIdentity(asker));
    const bytes = request.serializeBinary();
    const signed = new gateway.SignedCommitStatusRequest();
    signed.setRequest(bytes);
    signed.setSignature(alter(await sign(asker.key, bytes)));
    const response = await this.unary('CommitStatus', signed, gateway.CommitStatusResponse.deserializeBinary);
    return { code: response.getResult(), block: response.getBlockNumber() };
  }

  /** Builds, signs and endorses a proposal. */
  async prepare(
    parts: ProposalParts,
    organizations: readonly string[] = [],
  ): Promise<{ txId: string; envelope: common.Envelope }> {
    const proposal = buildProposal(parts);
    const signed = await signProposal(proposal, parts.creator);
    return {
      txId: proposal.txId,
      envelope: await this.endorse(proposal, signed, parts.channel, organizations),
    };
  }

  /** Signs a transaction, submits it and waits for its validation code. */
  async commit(
    { txId, envelope }: { txId: string; envelope: common.Envelope },
    channel: string,
    creator: Credentials,
  ): Promise<number> {
    await this.submit(txId, channel, await signEnvelope(envelope, creator));
    return (await this.commitStatus(txId, channel, creator)).code;
  }

  /** The endorser's own answer, without a gateway between. */
  processProposal(signed: peer.SignedProposal): Promise<peer.ProposalResponse> {
    return this.call('/protos.Endorser/ProcessProposal', signed, peer.ProposalResponse.deserializeBinary);
  }

  /** Sends one request for blocks and collects the answers until the peer's closing status. */
  deliver(request: common.Envelope, filtered = false): Promise<peer.DeliverResponse[]> {
    const path = `/protos.Deliver/Deliver${filtered ? 'Filtered' : ''}`;
    return new Promise((resolve, reject) => {
      const stream = this.client.makeBidiStreamRequest(
        path,
        (message: common.Envelope) => Buffer.from(message.serializeBinary()),
        (bytes: Buffer) => peer.DeliverResponse.deserializeBinary(bytes),
        { deadline: Date.now() + 20_000 },
      );
      const answers: peer.DeliverResponse[] = [];
      stream.on('data', (answer: peer.DeliverResponse) => {
        answers.push(answer);
        if (answer.getTypeCase() === peer.DeliverResponse.TypeCase.STATUS) stream.end();
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(answers));
      stream.write(request);
    });
  }

  private unary<Response>(
    method: Method,
    request: Message,
    read: (bytes: Uint8Array) => Response,
  ): Promise<Response> {
    return this.call(`/gateway.Gateway/${method}`, request, read);
  }

  private call<Request extends Message, Response>(
    path: string,
    request: Request,
    read: (bytes: Uint8Array) => Response,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        path,
        (message: Request) => Buffer.from(message.serializeBinary()),
        (bytes: Buffer) => read(bytes),
        request,
        { deadline: Date.now() + 60_000 },
        (error: ServiceError | null, response?: Response) => {
          if (error) reject(error);
          else if (response === undefined) reject(new Error('no response'));
          else resolve(response);
        },
      );
    });
  }
}

/** Which blocks a request to a deliver service asks for. */
export interface Seek {
  readonly start: orderer.SeekPosition;
  readonly stop: orderer.SeekPosition;
  readonly timestamp?: Date;
  readonly behavior?: orderer.SeekInfo.SeekBehaviorMap[keyof orderer.SeekInfo.SeekBehaviorMap];
  readonly contentType?: orderer.SeekInfo.SeekContentTypeMap[keyof orderer.SeekInfo.SeekContentTypeMap];
}

export const position = {
  oldest(): orderer.SeekPosition {
    const seek = new orderer.SeekPosition();
    seek.setOldest(new orderer.SeekOldest());
    return seek;
  },
  next(): orderer.SeekPosition {
    const seek = new orderer.SeekPosition();
    seek.setNextCommit(new orderer.SeekNextCommit());
    return seek;
  },
  newest(): orderer.SeekPosition {
    const seek = new orderer.SeekPosition();
    seek.setNewest(new orderer.SeekNewest());
    return seek;
  },
  at(block: number): orderer.SeekPosition {
    const specified = new orderer.SeekSpecified();
    specified.setNumber(block);
    const seek = new orderer.SeekPosition();
    seek.setSpecified(specified);
    return seek;
  },
};

/** A signed request for blocks. */
export async function seekEnvelope(
  channel: string,
  asker: Credentials,
  seek: Seek,
  signer: Credentials = asker,
): Promise<common.Envelope> {
  const info = new orderer.SeekInfo();
  info.setStart(seek.start);
  info.setStop(seek.stop);
  info.setBehavior(seek.behavior ?? orderer.SeekInfo.SeekBehavior.BLOCK_UNTIL_READY);
  info.setContentType(seek.contentType ?? orderer.SeekInfo.SeekContentType.BLOCK);
  const creator = serializedIdentity(asker);
  const nonce = randomBytes(24);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.DELIVER_SEEK_INFO);
  channelHeader.setChannelId(channel);
  channelHeader.setTxId(sha256(nonce, creator).toString('hex'));
  channelHeader.setTimestamp(Timestamp.fromDate(seek.timestamp ?? new Date()));
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creator);
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(info.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return signEnvelope(envelope, signer);
}

import { common, orderer, peer } from '@hyperledger/fabric-protos';
import {
  type handleBidiStreamingCall,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type PeerChannel, readersPolicy } from '../endorser/channel.js';
import { asRpcError } from '../gateway/service.js';
import { type CommittedBlock } from '../ledger/committed-block.js';
import { type Block, blockMessage } from '../protos/block.js';
import { TransactionEnvelope } from '../protos/transaction.js';
import { filteredBlock } from './filtered-block.js';

type Stream = ServerDuplexStream<common.Envelope, peer.DeliverResponse>;
type Status = Parameters<peer.DeliverResponse['setStatus']>[0];
const { TypeCase } = orderer.SeekPosition;

export interface DeliverOptions {
  readonly channel: (name: string) => PeerChannel | undefined;
  /** How far a request's timestamp may be from the clock (core.yaml: peer.authentication.timewindow). */
  readonly timeWindowSeconds: number;
}

/** The gRPC service `protos.Deliver`: blocks of a channel from any position (common/deliver). */
export function deliverService(options: DeliverOptions): UntypedServiceImplementation {
  const handle =
    (respond: (committed: CommittedBlock, request: orderer.SeekInfo) => peer.DeliverResponse) =>
    (stream: Stream): void => {
      const controller = new AbortController();
      stream.on('cancelled', () => controller.abort());
      stream.on('error', () => controller.abort());
      stream.on('close', () => controller.abort());
      void (async () => {
        try {
          // A destroyed stream could not carry the error or the last status.
          const requests = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<common.Envelope>;
          for await (const envelope of requests) {
            const status = await deliver(stream, envelope, options, respond, controller.signal);
            if (controller.signal.aborted) return;
            const response = new peer.DeliverResponse();
            response.setStatus(status);
            stream.write(response);
            if (status !== common.Status.SUCCESS) break;
          }
          stream.end();
        } catch (error) {
          if (!controller.signal.aborted) stream.emit('error', asRpcError(error));
        }
      })();
    };
  const deliverBlocks: handleBidiStreamingCall<common.Envelope, peer.DeliverResponse> = handle(
    ({ block }, request) => {
      const response = new peer.DeliverResponse();
      response.setBlock(blockMessage(withoutData(block, request)));
      return response;
    },
  );
  const deliverFiltered: handleBidiStreamingCall<common.Envelope, peer.DeliverResponse> = handle(
    (committed) => {
      const response = new peer.DeliverResponse();
      response.setFilteredBlock(filteredBlock(committed));
      return response;
    },
  );
  // Without private data collections a block and its private data is the block.
  const deliverWithPrivateData: handleBidiStreamingCall<common.Envelope, peer.DeliverResponse> = handle(
    ({ block }) => {
      const both = new peer.BlockAndPrivateData();
      both.setBlock(blockMessage(block));
      const response = new peer.DeliverResponse();
      response.setBlockAndPrivateData(both);
      return response;
    },
  );
  return { deliver: deliverBlocks, deliverFiltered, deliverWithPrivateData };
}

function withoutData(block: Block, request: orderer.SeekInfo): Block {
  const headersOnly = request.getContentType() === orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG;
  return headersOnly && block.header.number > 0 ? { ...block, data: [] } : block;
}

async function deliver(
  stream: Stream,
  message: common.Envelope,
  { channel: channelOf, timeWindowSeconds }: DeliverOptions,
  respond: (committed: CommittedBlock, request: orderer.SeekInfo) => peer.DeliverResponse,
  signal: AbortSignal,
): Promise<Status> {
  const { Status } = common;
  const envelope = new TransactionEnvelope(message.serializeBinary());
  if (!envelope.headers) return Status.BAD_REQUEST;
  if (Math.abs(Date.now() / 1000 - envelope.timestamp.seconds) > timeWindowSeconds) return Status.BAD_REQUEST;
  const channel = channelOf(envelope.channelId);
  if (!channel) return Status.NOT_FOUND;
  let request: orderer.SeekInfo;
  try {
    request = orderer.SeekInfo.deserializeBinary(envelope.data);
  } catch {
    return Status.BAD_REQUEST;
  }
  const creator = envelope.headers.signatureHeader.getCreator_asU8();
  const expired = (): boolean => expiry(channel, creator) < Date.now();
  const denied = channel.policies.checkSigned(channel.name, readersPolicy, [
    { data: envelope.payload, identity: creator, signature: envelope.signature },
  ]);
  if (denied !== null || expired()) return Status.FORBIDDEN;
  const start = request.getStart();
  const stop = request.getStop();
  if (!start || !stop) return Status.BAD_REQUEST;
  const { ledger } = channel;
  let number = startNumber(start, ledger.height);
  if (number === undefined) return Status.NOT_FOUND;
  const last = stopNumber(start, stop, number, ledger.height);
  if (last < number) return Status.BAD_REQUEST;
  for (; number <= last; number++) {
    const failIfNotReady = request.getBehavior() === orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY;
    if (failIfNotReady && number >= ledger.height) return Status.NOT_FOUND;
    const committed = await ledger.nextBlock(number, signal);
    if (!committed) return Status.INTERNAL_SERVER_ERROR;
    if (expired()) return Status.FORBIDDEN;
    if (!stream.write(respond(committed, request))) await drained(stream, signal);
  }
  return Status.SUCCESS;
}

function expiry(channel: PeerChannel, creator: Uint8Array): number {
  return channel.policies.manager.deserialize(creator).expiresAt.getTime();
}

function startNumber(start: orderer.SeekPosition, height: number): number | undefined {
  switch (start.getTypeCase()) {
    case TypeCase.OLDEST:
      return 0;
    case TypeCase.NEWEST:
      return height - 1;
    case TypeCase.NEXT_COMMIT:
      return height;
    case TypeCase.SPECIFIED: {
      const number = start.getSpecified()?.getNumber() ?? 0;
      return number > height ? undefined : number;
    }
    default:
      return undefined;
  }
}

function stopNumber(
  start: orderer.SeekPosition,
  stop: orderer.SeekPosition,
  first: number,
  height: number,
): number {
  switch (stop.getTypeCase()) {
    case TypeCase.OLDEST:
      return first;
    case TypeCase.NEWEST:
      return start.getTypeCase() === TypeCase.NEWEST ? first : height - 1;
    case TypeCase.SPECIFIED:
      return stop.getSpecified()?.getNumber() ?? 0;
    default:
      return Number.MAX_SAFE_INTEGER;
  }
}

function drained(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stream.removeListener('drain', finish);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    stream.once('drain', finish);
    signal.addEventListener('abort', finish);
  });
}

/**
 * Many keys in one message to the peer, as Fabric takes them since 3.1 (Fabric RFC 0011): what passes between a peer and
 * its chaincode costs far more by the message than by the key. fabric-shim for Node knows no such messages yet, so they
 * are put into its queue from here. A peer that does not offer them is asked key by key.
 */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { type ChaincodeStub } from 'fabric-shim-api';

/** The most keys of one message; 0 where the peer takes no such messages. */
interface Offer {
  readonly writes: number;
  readonly reads: number;
}

/** A key's new value, its new endorsement policy, or its end. */
export type Write = { readonly key: string } & (
  { readonly value: Uint8Array } | { readonly policy: Uint8Array } | { readonly deleted: true }
);

interface Message {
  getType(): number;
  getPayload_asU8(): Uint8Array;
  setType(type: number): void;
  setPayload(payload: Uint8Array): void;
  setTxid(txId: string): void;
  setChannelId(channel: string): void;
}

/** The shim's end of the stream to the peer. */
interface Handler {
  readonly _stream: EventEmitter;
  chat(first: Message): void;
  _askPeerAndListen(message: Message, method: string): Promise<Uint8Array>;
}

/** google-protobuf's writer and reader, as far as they are used here. */
interface Writer {
  writeString(field: number, value: string): void;
  writeRepeatedString(field: number, values: string[]): void;
  writeBytes(field: number, value: Uint8Array): void;
  writeEnum(field: number, value: number): void;
  writeMessage<T>(field: number, value: T, write: (value: T, writer: Writer) => void): void;
  getResultBuffer(): Uint8Array;
}
interface Reader {
  nextField(): boolean;
  getFieldNumber(): number;
  getWireType(): number;
  readUint32(): number;
  readBytes(): Uint8Array;
  skipField(): void;
}

// The shim takes messages of its own protobuf classes alone, which have the types' numbers, but not these two messages.
const ofShim = createRequire(require.resolve('fabric-shim'));
const ofProtos = createRequire(ofShim.resolve('@hyperledger/fabric-protos'));
const { ChaincodeMessageHandler } = ofShim('./lib/handler.js') as {
  ChaincodeMessageHandler: new (stream: EventEmitter, chaincode: object) => Handler;
};
const ShimStub = ofShim('./lib/stub.js') as new (
  handler: Handler,
  channel: string,
  txId: string,
  input: { getArgsList_asU8(): Uint8Array[] },
) => ChaincodeStub;
const { version: shimVersion } = ofShim('./package.json') as { version: string };
const { ChaincodeMessage } = (
  ofShim('@hyperledger/fabric-protos') as {
    peer: { ChaincodeMessage: { new (): Message; readonly Type: { readonly READY: number } } };
  }
).peer;
const { BinaryReader, BinaryWriter } = ofProtos('google-protobuf') as {
  BinaryReader: new (bytes: Uint8Array) => Reader;
  BinaryWriter: new () => Writer;
};
const WRITE_BATCH_STATE = 24;
const GET_STATE_MULTIPLE = 25;
/** `WriteRecord.Type` */
const PUT_STATE = 9;
const DEL_STATE = 10;
const PUT_STATE_METADATA = 21;
const VALIDATION_PARAMETER = 'VALIDATION_PARAMETER';

const NO_OFFER: Offer = { writes: 0, reads: 0 };
const offers = new WeakMap<Handler, Offer>();

/**
 * Has the shim's connections note what their peers offer when they are ready.
 *
 * @throws Error where this version of fabric-shim is built otherwise: batches would silently be given up, or fail in the
 *   middle of transactions.
 */
export function hearOffers(): void {
  requireShim();
  const prototype = ChaincodeMessageHandler.prototype as Handler;
  const chat = Reflect.get(prototype, 'chat');
  prototype.chat = function (first) {
    this._stream.on('data', (message: Message) => {
      if (message.getType() === ChaincodeMessage.Type.READY)
        offers.set(this, readOffer(message.getPayload_asU8()));
    });
    chat.call(this, first);
  };
}

function requireShim(): void {
  const stream = new EventEmitter();
  const handler = new ChaincodeMessageHandler(stream, {});
  const stub = new ShimStub(handler, '', '', { getArgsList_asU8: () => [] });
  const names: Record<string, boolean> = {
    'ChaincodeMessageHandler._stream': handler._stream === stream,
    'ChaincodeMessageHandler.chat': typeof Reflect.get(handler, 'chat') === 'function',
    'ChaincodeMessageHandler._askPeerAndListen':
      typeof Reflect.get(handler, '_askPeerAndListen') === 'function',
    'ChaincodeStub.handler': handlerOf(stub) === handler,
    'ChaincodeMessage.Type.READY': typeof ChaincodeMessage.Type.READY === 'number',
  };
  const changed = Object.keys(names).filter((name) => !names[name]);
  if (changed.length > 0)
    throw new Error(
      `fabric-shim ${shimVersion} has no ${changed.join(', ')} as batched messages to the peer need it: ` +
        `use the version that package.json names, or adapt ledger/messages.ts.`,
    );
}

/** Values of keys in their order; empty where there is none. */
export async function readStates(stub: ChaincodeStub, keys: readonly string[]): Promise<Uint8Array[]> {
  const { reads } = offerTo(stub);
  const values: Uint8Array[] = [];
  if (reads === 0 || keys.length === 1) for (const key of keys) values.push(await stub.getState(key));
  else
    for (const some of chunks(keys, reads))
      values.push(...readValues(await ask(stub, GET_STATE_MULTIPLE, readRequest(some)), some.length));
  return values;
}

/** Writes in their order. */
export async function writeStates(stub: ChaincodeStub, writes: readonly Write[]): Promise<void> {
  const { writes: most } = offerTo(stub);
  if (most === 0 || writes.length === 1) for (const write of writes) await writeAlone(stub, write);
  else for (const some of chunks(writes, most)) await ask(stub, WRITE_BATCH_STATE, writeRequest(some));
}

const handlerOf = (stub: ChaincodeStub): Handler | undefined => Reflect.get(stub, 'handler') as Handler;

function offerTo(stub: ChaincodeStub): Offer {
  const handler = handlerOf(stub);
  return (handler && offers.get(handler)) ?? NO_OFFER;
}

function* chunks<T>(items: readonly T[], length: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += length) yield items.slice(start, start + length);
}

async function ask(stub: ChaincodeStub, type: number, payload: Uint8Array): Promise<Uint8Array> {
  const message = new ChaincodeMessage();
  message.setType(type);
  message.setPayload(payload);
  message.setTxid(stub.getTxID());
  message.setChannelId(stub.getChannelID());
  const handler = handlerOf(stub);
  if (!handler) throw new TypeError('the stub has no connection to a peer');
  return handler._askPeerAndListen(message, `message ${type}`);
}

async function writeAlone(stub: ChaincodeStub, write: Write): Promise<void> {
  if ('value' in write) await stub.putState(write.key, write.value);
  else if ('policy' in write) await stub.setStateValidationParameter(write.key, write.policy);
  else await stub.deleteState(write.key);
}

/** `ChaincodeAdditionalParams`, of numbers alone. */
function readOffer(payload: Uint8Array): Offer {
  const fields = new Map<number, number>();
  const reader = new BinaryReader(payload);
  while (reader.nextField())
    if (reader.getWireType() === 0) fields.set(reader.getFieldNumber(), reader.readUint32());
    else reader.skipField();
  const most = (use: number, size: number): number => (fields.get(use) ? (fields.get(size) ?? 0) : 0);
  return { writes: most(1, 2), reads: most(3, 4) };
}

/** `GetStateMultiple` */
function readRequest(keys: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.writeRepeatedString(1, [...keys]);
  return writer.getResultBuffer();
}

/** `GetStateMultipleResult` */
function readValues(payload: Uint8Array, count: number): Uint8Array[] {
  const values: Uint8Array[] = [];
  const reader = new BinaryReader(payload);
  while (reader.nextField())
    if (reader.getFieldNumber() === 1) values.push(reader.readBytes());
    else reader.skipField();
  if (values.length !== count) throw new Error(`the peer gave ${values.length} values for ${count} keys`);
  return values;
}

/** `WriteBatchState` */
function writeRequest(writes: readonly Write[]): Uint8Array {
  const batch = new BinaryWriter();
  for (const write of writes) batch.writeMessage(1, write, writeRecord);
  return batch.getResultBuffer();
}

function writeRecord(write: Write, record: Writer): void {
  record.writeString(1, write.key);
  if ('value' in write) {
    record.writeBytes(2, write.value);
    record.writeEnum(5, PUT_STATE);
  } else if ('policy' in write) {
    record.writeMessage(4, write.policy, (policy, metadata) => {
      metadata.writeString(1, VALIDATION_PARAMETER);
      metadata.writeBytes(2, policy);
    });
    record.writeEnum(5, PUT_STATE_METADATA);
  } else record.writeEnum(5, DEL_STATE);
}

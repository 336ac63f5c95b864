import './support/environment.js';
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { type ChaincodeStub } from 'fabric-shim-api';
import { hearOffers, readStates, type Write, writeStates } from '../src/ledger/messages.js';

interface Message {
  getType(): number;
  getPayload_asU8(): Uint8Array;
}
type MessageFields = Record<'setType' | 'setPayload' | 'setTxid' | 'setChannelId', (value: unknown) => void>;

// The shim's own connection and messages: what is put into its queue has to pass it.
const shim = createRequire(require.resolve('fabric-shim'));
const { BinaryReader, BinaryWriter } = createRequire(shim.resolve('@hyperledger/fabric-protos'))(
  'google-protobuf',
) as {
  BinaryReader: new (bytes: Uint8Array) => {
    nextField(): boolean;
    getFieldNumber(): number;
    isDelimited(): boolean;
    readBytes(): Uint8Array;
    readUint32(): number;
  };
  BinaryWriter: new () => {
    writeBytes(field: number, value: Uint8Array): void;
    getResultBuffer(): Uint8Array;
  };
};
const { ChaincodeMessage } = (
  shim('@hyperledger/fabric-protos') as {
    peer: {
      ChaincodeMessage: {
        new (): Message & MessageFields;
        Type: Record<'REGISTERED' | 'READY' | 'RESPONSE' | 'ERROR' | 'GET_STATE' | 'PUT_STATE', number>;
      };
    };
  }
).peer;
const { Type } = ChaincodeMessage;
const { ChaincodeMessageHandler } = shim('./lib/handler.js') as {
  ChaincodeMessageHandler: {
    new (stream: EventEmitter, chaincode: object): { chat: (first: Message) => void };
    readonly prototype: object;
  };
};
const ShimStub = shim('./lib/stub.js') as { prototype: ChaincodeStub };

const GET_STATE_MULTIPLE = 25;
const WRITE_BATCH_STATE = 24;

/** Delimited fields of a message, by number; and its numbers. */
function fieldsOf(bytes: Uint8Array): { number: number; bytes?: Uint8Array; value?: number }[] {
  const fields = [];
  for (const reader = new BinaryReader(bytes); reader.nextField();) {
    const number = reader.getFieldNumber();
    if (reader.isDelimited()) fields.push({ number, bytes: reader.readBytes() });
    else fields.push({ number, value: reader.readUint32() });
  }
  return fields;
}
const textsOf = (bytes: Uint8Array): string[] =>
  fieldsOf(bytes).map(({ bytes: part }) => Buffer.from(part ?? []).toString());

/** A peer at the other end of the shim's stream, and the stub of one transaction. */
class Peer extends EventEmitter {
  readonly asked: { type: number; payload: Uint8Array }[] = [];
  readonly stub: ChaincodeStub;

  constructor(
    offer: string,
    private readonly answer: (type: number, payload: Uint8Array) => Uint8Array,
  ) {
    super();
    const handler = new ChaincodeMessageHandler(this, {});
    handler.chat(new ChaincodeMessage());
    this.say(Type.REGISTERED);
    this.say(Type.READY, Buffer.from(offer, 'hex'));
    this.stub = Object.assign(Object.create(ShimStub.prototype) as ChaincodeStub, {
      handler,
      channel_id: 'records',
      txId: 'tx',
    });
  }

  write(message: Message): void {
    const type = message.getType();
    const payload = message.getPayload_asU8();
    // The first is the shim's own word of who it is.
    if (type === 0) return;
    this.asked.push({ type, payload });
    setImmediate(() => {
      try {
        this.say(Type.RESPONSE, this.answer(type, payload));
      } catch (error) {
        this.say(Type.ERROR, Buffer.from((error as Error).message));
      }
    });
  }

  private say(type: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const message = new ChaincodeMessage();
    message.setType(type);
    message.setPayload(payload);
    message.setTxid('tx');
    message.setChannelId('records');
    this.emit('data', message);
  }
}

/** `ChaincodeAdditionalParams`: three writes of a message, and two reads. */
const OFFER = '0801100318012002';
const nothing = (): Uint8Array => new Uint8Array(0);
const writes: Write[] = [
  { key: 'a', value: Buffer.from('1') },
  { key: 'a', policy: Buffer.from('owner') },
  { key: 'b', deleted: true },
  { key: 'c', value: Buffer.from('3') },
];

/** Says of every key that it has its own name for a value, and nothing of `none`. */
function named(type: number, payload: Uint8Array): Uint8Array {
  const [first, ...more] = textsOf(payload).map((key) => (key === 'none' ? '' : `value of ${key}`));
  if (type !== GET_STATE_MULTIPLE) return Buffer.from(first ?? '');
  const result = new BinaryWriter();
  for (const value of [first ?? '', ...more]) result.writeBytes(1, Buffer.from(value));
  return result.getResultBuffer();
}

hearOffers();

test.each([
  ['ChaincodeMessageHandler', '_stream', ChaincodeMessageHandler.prototype],
  ['ChaincodeMessageHandler', 'chat', ChaincodeMessageHandler.prototype],
  ['ChaincodeMessageHandler', '_askPeerAndListen', ChaincodeMessageHandler.prototype],
  ['ChaincodeStub', 'handler', ShimStub.prototype],
])('another fabric-shim, without %s.%s, is refused at the start', (type, name, prototype) => {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  Object.defineProperty(prototype, name, { get: () => undefined, set: () => undefined, configurable: true });
  try {
    expect(() => hearOffers()).toThrow(new RegExp(`^fabric-shim 2\\S+ has no ${type}\\.${name} `));
  } finally {
    if (own) Object.defineProperty(prototype, name, own);
    else Reflect.deleteProperty(prototype, name);
  }
});

test('writes go in as few messages as the peer takes, in their order', async () => {
  const peer = new Peer(OFFER, nothing);
  await writeStates(peer.stub, [...writes, ...writes]);
  expect(peer.asked.map(({ type }) => type)).toEqual([
    WRITE_BATCH_STATE,
    WRITE_BATCH_STATE,
    WRITE_BATCH_STATE,
  ]);
  const records = peer.asked.flatMap(({ payload }) =>
    fieldsOf(payload).map(({ bytes }) => fieldsOf(bytes ?? nothing())),
  );
  const said = records.map((fields) =>
    fields.map(({ number, bytes, value }) => [
      number,
      value ?? (number === 4 ? textsOf(bytes ?? nothing()) : Buffer.from(bytes ?? []).toString()),
    ]),
  );
  // WriteRecord: key 1, value 2, metadata 4, type 5; PUT_STATE 9, DEL_STATE 10, PUT_STATE_METADATA 21.
  const once = [
    [
      [1, 'a'],
      [2, '1'],
      [5, 9],
    ],
    [
      [1, 'a'],
      [4, ['VALIDATION_PARAMETER', 'owner']],
      [5, 21],
    ],
    [
      [1, 'b'],
      [5, 10],
    ],
    [
      [1, 'c'],
      [2, '3'],
      [5, 9],
    ],
  ];
  expect(said).toEqual([...once, ...once]);
});

test('reads go in as few messages as the peer takes, and give the values in the order of the keys', async () => {
  const peer = new Peer(OFFER, named);
  const values = await readStates(peer.stub, ['a', 'none', 'b', 'c', 'd']);
  expect(values.map((value) => Buffer.from(value).toString())).toEqual([
    'value of a',
    '',
    'value of b',
    'value of c',
    'value of d',
  ]);
  expect(peer.asked).toHaveLength(3);
});

test.each([
  ['nothing, as before Fabric 3.1', ''],
  ['batches that are switched off', '0800100318002002'],
])('a peer that offers %s is asked key by key', async (_, offer) => {
  const peer = new Peer(offer, named);
  const values = await readStates(peer.stub, ['a', 'b']);
  expect(values.map((value) => Buffer.from(value).toString())).toEqual(['value of a', 'value of b']);
  await writeStates(peer.stub, writes);
  expect(peer.asked.slice(0, 3).map(({ type }) => type)).toEqual([
    Type.GET_STATE,
    Type.GET_STATE,
    Type.PUT_STATE,
  ]);
  expect(peer.asked).toHaveLength(2 + writes.length);
});

test('what the peer refuses fails the transaction', async () => {
  const peer = new Peer(OFFER, () => {
    throw new Error('no ledger context');
  });
  await expect(writeStates(peer.stub, writes)).rejects.toThrow('no ledger context');
  await expect(readStates(peer.stub, ['a', 'b'])).rejects.toThrow('no ledger context');
});

test('an answer with too few values is none', async () => {
  const peer = new Peer(OFFER, nothing);
  await expect(readStates(peer.stub, ['a', 'b'])).rejects.toThrow('0 values for 2 keys');
});

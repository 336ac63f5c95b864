import './support/environment.js';
import { createRequire } from 'node:module';
import { readInPlace } from '../src/shimBytes.js';

interface Message {
  getTxid(): string;
  getPayload_asU8(): Uint8Array;
  setTxid(txId: string): void;
  setPayload(payload: Uint8Array): void;
  serializeBinary(): Uint8Array;
}

const { ChaincodeMessage, ChaincodeService } = (
  createRequire(require.resolve('fabric-shim'))('@hyperledger/fabric-protos') as {
    peer: {
      ChaincodeMessage: new () => Message;
      ChaincodeService: { connect: { requestDeserialize: (bytes: Uint8Array) => Message } };
    };
  }
).peer;

test('a message of the peer is read as before, but its bytes are not copied', () => {
  const message = new ChaincodeMessage();
  message.setTxid('tx');
  message.setPayload(Buffer.from('a payload'));
  // As gRPC gives it: a part of other memory.
  const memory = Buffer.concat([Buffer.alloc(5), message.serializeBinary()]);
  const bytes = memory.subarray(5);
  const copied = ChaincodeService.connect.requestDeserialize(bytes);
  readInPlace();
  const inPlace = ChaincodeService.connect.requestDeserialize(bytes);
  for (const read of [copied, inPlace])
    expect([read.getTxid(), Buffer.from(read.getPayload_asU8()).toString()]).toEqual(['tx', 'a payload']);
  expect(copied.getPayload_asU8().buffer).not.toBe(memory.buffer);
  expect(inPlace.getPayload_asU8().buffer).toBe(memory.buffer);
});

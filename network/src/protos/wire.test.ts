import { common, peer } from '@hyperledger/fabric-protos';
import fc from 'fast-check';
import { bytesField, delimitedField, numberField, wire } from './wire.js';

describe('messages in pieces', () => {
  it('are the bytes that google-protobuf writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.string({ unit: 'binary' }),
        fc.uint8Array({ maxLength: 300 }),
        (status, text, payload) => {
          const response = new peer.Response();
          response.setStatus(status);
          response.setMessage(text);
          response.setPayload(payload);
          const action = new peer.ChaincodeAction();
          action.setResults(payload);
          action.setResponse(response);
          const nested = wire(numberField(1, status), bytesField(2, text), bytesField(3, payload));
          const bytes = wire(bytesField(1, payload), delimitedField(3, nested));
          expect(bytes.toBuffer()).toStrictEqual(Buffer.from(action.serializeBinary()));
          expect(bytes.length).toBe(action.serializeBinary().length);
        },
      ),
    );
  });

  it('keep empty messages and empty elements', () => {
    const payload = new common.Payload();
    payload.setHeader(new common.Header());
    const metadata = new common.BlockMetadata();
    metadata.setMetadataList([new Uint8Array(0), Uint8Array.of(1)]);
    expect(delimitedField(1, wire()).toBuffer()).toStrictEqual(Buffer.from(payload.serializeBinary()));
    expect(
      wire(delimitedField(1, new Uint8Array(0)), delimitedField(1, Uint8Array.of(1))).toBuffer(),
    ).toStrictEqual(Buffer.from(metadata.serializeBinary()));
  });
});

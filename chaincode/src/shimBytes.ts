import { createRequire } from 'node:module';

interface MessageClass {
  deserializeBinary(bytes: Uint8Array): unknown;
}
type Read = (bytes: Uint8Array) => unknown;

const ofShim = createRequire(require.resolve('fabric-shim'));
const { ChaincodeMessage, ChaincodeService } = (
  ofShim('@hyperledger/fabric-protos') as {
    peer: { ChaincodeMessage: MessageClass; ChaincodeService: { connect: { requestDeserialize: Read } } };
  }
).peer;

/**
 * Has a chaincode that runs as a server read a peer's message where gRPC has put it together, for this message alone:
 * the generated reader copies all of it before, up to 16 MB of transient data.
 */
export function readInPlace(): void {
  // google-protobuf copies what is a Buffer.
  ChaincodeService.connect.requestDeserialize = ({ buffer, byteOffset, length }) =>
    ChaincodeMessage.deserializeBinary(new Uint8Array(buffer, byteOffset, length));
}

import { type ServiceDefinition } from '@grpc/grpc-js';
import { gateway, peer } from '@hyperledger/fabric-protos';
import { asBuffer } from './bytes.js';

/** A message class of google-protobuf, as the generated service definitions name them. */
interface MessageType {
  deserializeBinary(bytes: Uint8Array): object;
}

interface Serializable {
  serializeBinary(): Uint8Array;
}

/** The published definitions copy every message once more on its way in and out; these do not. */
function withoutCopies(service: ServiceDefinition): ServiceDefinition {
  const serialize = (message: Serializable): Buffer => asBuffer(message.serializeBinary());
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => {
      const { requestType, responseType } = method as unknown as Record<string, MessageType>;
      const reader = (type: MessageType | undefined, published: (bytes: Buffer) => object) =>
        type ? (bytes: Buffer) => type.deserializeBinary(bytes) : published;
      return [
        name,
        {
          ...method,
          requestSerialize: serialize,
          responseSerialize: serialize,
          requestDeserialize: reader(requestType, method.requestDeserialize),
          responseDeserialize: reader(responseType, method.responseDeserialize),
        },
      ];
    }),
  );
}

export const GatewayService = withoutCopies(gateway.GatewayService);
export const EndorserService = withoutCopies(peer.EndorserService);
export const DeliverService = withoutCopies(peer.DeliverService);

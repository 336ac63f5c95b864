import { type gateway as protos } from '@hyperledger/fabric-protos';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { errorMessage } from '../protos/bytes.js';
import { chaincodeEvents } from './chaincode-events.js';
import { type Gateway } from './gateway.js';
import { RpcError } from './rpc-error.js';

const ended = 'the call has ended';

/** A signal that ends when the client cancels the call or its deadline passes. */
function callSignal(call: { on(event: 'cancelled', listener: () => void): unknown }): AbortSignal {
  const controller = new AbortController();
  // Every call ends with this event; without a reason each would make an exception with its stack.
  call.on('cancelled', () => controller.abort(ended));
  return controller.signal;
}

export function asRpcError(error: unknown): RpcError {
  return error instanceof RpcError ? error : new RpcError(status.UNKNOWN, errorMessage(error));
}

function unary<Request, Response>(
  handle: (request: Request, signal: AbortSignal) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call: ServerUnaryCall<Request, Response>, callback) => {
    void (async () => {
      try {
        callback(null, await handle(call.request, callSignal(call)));
      } catch (error) {
        callback(asRpcError(error));
      }
    })();
  };
}

/** The gRPC service `gateway.Gateway`. */
export function gatewayService(gateway: Gateway): UntypedServiceImplementation {
  const events: handleServerStreamingCall<
    protos.SignedChaincodeEventsRequest,
    protos.ChaincodeEventsResponse
  > = (call) => {
    void (async () => {
      try {
        for await (const response of chaincodeEvents(gateway, call.request, callSignal(call))) {
          if (!call.write(response)) await new Promise((resolve) => call.once('drain', resolve));
        }
        call.end();
      } catch (error) {
        call.emit('error', asRpcError(error));
      }
    })();
  };
  return {
    evaluate: unary((request: protos.EvaluateRequest, signal) => gateway.evaluate(request, signal)),
    endorse: unary((request: protos.EndorseRequest, signal) => gateway.endorse(request, signal)),
    submit: unary((request: protos.SubmitRequest) => gateway.submit(request)),
    commitStatus: unary((request: protos.SignedCommitStatusRequest, signal) =>
      gateway.commitStatus(request, signal),
    ),
    chaincodeEvents: events,
  };
}

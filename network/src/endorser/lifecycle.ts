import { peer } from '@hyperledger/fabric-protos';
import { definitionEntries, lifecycleNamespace, readDefinition } from '../ledger/lifecycle-state.js';
import { type TransactionParameters } from '../shim/context.js';
import { type ChaincodeResult } from '../shim/chaincode-support.js';

/** The one function of the built-in `_lifecycle` chaincode that this network needs. */
export const commitDefinitionFunction = 'CommitChaincodeDefinition';

/** Arguments that commit a definition. */
export function commitDefinitionArguments(definition: {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  readonly validationParameter: Uint8Array;
}): Uint8Array[] {
  const request = new peer.lifecycle.CommitChaincodeDefinitionArgs();
  request.setName(definition.name);
  request.setVersion(definition.version);
  request.setSequence(definition.sequence);
  request.setEndorsementPlugin('escc');
  request.setValidationPlugin('vscc');
  request.setValidationParameter(definition.validationParameter);
  return [Buffer.from(commitDefinitionFunction), request.serializeBinary()];
}

/** Writes a chaincode definition, whose sequence must be the one after the committed one. */
export function executeLifecycle(
  parameters: TransactionParameters,
  input: peer.ChaincodeInput,
): ChaincodeResult {
  const [name, argument] = input.getArgsList_asU8();
  const failure = (text: string): ChaincodeResult => ({ response: newResponse(500, text), event: undefined });
  const called = Buffer.from(name ?? []).toString();
  if (called !== commitDefinitionFunction || !argument)
    return failure(`SCC _lifecycle: unknown function ${called}`);
  const request = peer.lifecycle.CommitChaincodeDefinitionArgs.deserializeBinary(argument);
  const { simulator } = parameters;
  const current = readDefinition(request.getName(), (key) => simulator.getState(lifecycleNamespace, key));
  const next = (current?.sequence ?? 0) + 1;
  if (request.getSequence() !== next) {
    return failure(
      `failed to invoke backing implementation of '${commitDefinitionFunction}': ` +
        `requested sequence is ${request.getSequence()}, but new definition must be sequence ${next}`,
    );
  }
  const entries = definitionEntries({
    name: request.getName(),
    version: request.getVersion(),
    sequence: request.getSequence(),
    validationParameter: request.getValidationParameter_asU8(),
  });
  for (const [key, value] of entries) simulator.setState(lifecycleNamespace, key, value);
  return {
    response: newResponse(200, '', new peer.lifecycle.CommitChaincodeDefinitionResult().serializeBinary()),
    event: undefined,
  };
}

export function newResponse(
  status: number,
  message: string,
  payload: Uint8Array = new Uint8Array(0),
): peer.Response {
  const response = new peer.Response();
  response.setStatus(status);
  response.setMessage(message);
  response.setPayload(payload);
  return response;
}

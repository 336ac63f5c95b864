import { peer } from '@hyperledger/fabric-protos';

const { ChaincodeEndorsementInfo, ChaincodeValidationInfo, StateData, StateMetadata } = peer.lifecycle;

/** Namespace in which chaincode definitions are committed, as in Fabric's new lifecycle. */
export const lifecycleNamespace = '_lifecycle';

/** A committed chaincode definition. */
export interface ChaincodeDefinition {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** Serialized `ApplicationPolicy`. */
  readonly validationParameter: Uint8Array;
}

const fields = ['Sequence', 'EndorsementInfo', 'ValidationInfo'] as const;
type Field = (typeof fields)[number];

function fieldKey(name: string, field: Field): string {
  return `namespaces/fields/${name}/${field}`;
}

function metadataKey(name: string): string {
  return `namespaces/metadata/${name}`;
}

/** The state entries of a definition (core/chaincode/lifecycle/serializer.go). */
export function definitionEntries(definition: ChaincodeDefinition): Map<string, Uint8Array> {
  const sequence = new StateData();
  sequence.setInt64(definition.sequence);

  const info = new ChaincodeEndorsementInfo();
  info.setVersion(definition.version);
  info.setEndorsementPlugin('escc');
  const endorsement = new StateData();
  endorsement.setBytes(info.serializeBinary());

  const validationInfo = new ChaincodeValidationInfo();
  validationInfo.setValidationPlugin('vscc');
  validationInfo.setValidationParameter(definition.validationParameter);
  const validation = new StateData();
  validation.setBytes(validationInfo.serializeBinary());

  const metadata = new StateMetadata();
  metadata.setDatatype('ChaincodeDefinition');
  metadata.setFieldsList([...fields]);
  return new Map([
    [fieldKey(definition.name, 'Sequence'), sequence.serializeBinary()],
    [fieldKey(definition.name, 'EndorsementInfo'), endorsement.serializeBinary()],
    [fieldKey(definition.name, 'ValidationInfo'), validation.serializeBinary()],
    [metadataKey(definition.name), metadata.serializeBinary()],
  ]);
}

/** The key that a transaction reads to depend on the definition under which it ran. */
export function sequenceKey(name: string): string {
  return fieldKey(name, 'Sequence');
}

/** Number of a definition, from the value of its sequence key. */
export function decodeSequence(bytes: Uint8Array): number {
  return StateData.deserializeBinary(bytes).getInt64();
}

/** Reads a definition through a state getter; undefined where the chaincode is not defined. */
export function readDefinition(
  name: string,
  get: (key: string) => Uint8Array | undefined,
): ChaincodeDefinition | undefined {
  const field = (which: Field): peer.lifecycle.StateData | undefined => {
    const bytes = get(fieldKey(name, which));
    return bytes && StateData.deserializeBinary(bytes);
  };
  const sequence = field('Sequence');
  if (!sequence) return undefined;
  const info = ChaincodeEndorsementInfo.deserializeBinary(
    field('EndorsementInfo')?.getBytes_asU8() ?? new Uint8Array(0),
  );
  const validation = ChaincodeValidationInfo.deserializeBinary(
    field('ValidationInfo')?.getBytes_asU8() ?? new Uint8Array(0),
  );
  return {
    name,
    version: info.getVersion(),
    sequence: sequence.getInt64(),
    validationParameter: validation.getValidationParameter_asU8(),
  };
}

/** Range of the keys that name the defined chaincodes, and how to read a name from one. */
export const definedNames = {
  start: metadataKey(''),
  end: 'namespaces/metadata0',
  nameOf: (key: string): string => key.slice(metadataKey('').length),
} as const;

import { common, ledger, peer } from '@hyperledger/fabric-protos';
import { equalBytes, sha256 } from './bytes.js';

/** Fabric's validation codes, by the numbers that are in blocks. */
export const Code = peer.TxValidationCode;
export type ValidationCode = number;

/** Fabric's name of a validation code. */
export function codeName(code: ValidationCode): string {
  return Object.entries(Code).find(([, number]) => number === code)?.[0] ?? String(code);
}

export interface Headers {
  readonly channelHeader: common.ChannelHeader;
  readonly signatureHeader: common.SignatureHeader;
}

export interface NamespaceReadWriteSet {
  readonly namespace: string;
  readonly set: ledger.rwset.kvrwset.KVRWSet;
  /** True if the transaction carries hashes of private data, which this ledger does not keep. */
  readonly hasPrivateData: boolean;
}

/** The endorsed part of a transaction. */
export interface EndorsedAction {
  readonly responsePayload: Uint8Array;
  readonly endorsements: readonly { readonly endorser: Uint8Array; readonly signature: Uint8Array }[];
  readonly chaincode: { readonly name: string; readonly version: string };
  /** Name in the proposal's header extension. */
  readonly proposedChaincode: string;
  readonly readWriteSets: readonly NamespaceReadWriteSet[];
  readonly event: peer.ChaincodeEvent | undefined;
}

interface Failure {
  readonly code: ValidationCode;
  readonly reason: string;
}

interface ParsedBody {
  readonly action?: EndorsedAction;
  readonly failure?: Failure;
  readonly lateFailure?: Failure;
}

/** Hex SHA-256 of nonce and creator. */
export function transactionId(nonce: Uint8Array, creator: Uint8Array): string {
  return sha256(nonce, creator).toString('hex');
}

/** Hash that binds endorsements to the proposal: both headers, then the payload without transient data. */
export function proposalHash(
  channelHeader: Uint8Array,
  signatureHeader: Uint8Array,
  visiblePayload: Uint8Array,
): Buffer {
  return sha256(channelHeader, signatureHeader, visiblePayload);
}

/**
 * One transaction of a block, taken apart once and shared by every peer of the process. What is malformed is kept as
 * the code that the validator must give, in the stages of Fabric's validator: headers, then (after the creator's
 * signature) the body. Source: core/common/validation/msgvalidation.go, plugindispatcher/dispatcher.go.
 */
export class TransactionEnvelope {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly headers: Headers | undefined;
  readonly headersFailure: Failure | undefined;
  /** Id in the channel header; empty if there is none. */
  readonly txId: string;
  readonly channelId: string;
  readonly type: number;
  #body: ParsedBody | undefined;
  readonly #data: Uint8Array;
  readonly #headerBytes: { channel: Uint8Array; signature: Uint8Array };
  /** Results of signature checks, which depend on nothing but this envelope and the channel's membership. */
  readonly verified = new Map<string, boolean>();

  constructor(readonly bytes: Uint8Array) {
    this.payload = this.signature = this.#data = new Uint8Array(0);
    this.#headerBytes = { channel: this.payload, signature: this.payload };
    this.txId = this.channelId = '';
    this.type = -1;
    let stage: Failure = { code: Code.INVALID_OTHER_REASON, reason: 'envelope cannot be read' };
    try {
      const envelope = common.Envelope.deserializeBinary(bytes);
      this.payload = envelope.getPayload_asU8();
      this.signature = envelope.getSignature_asU8();
      stage = { code: Code.BAD_PAYLOAD, reason: 'payload cannot be read' };
      const payload = common.Payload.deserializeBinary(this.payload);
      this.#data = payload.getData_asU8();
      stage = { code: Code.BAD_COMMON_HEADER, reason: 'header cannot be read' };
      const header = payload.getHeader();
      if (!header) throw new Error('nil header');
      this.#headerBytes = {
        channel: header.getChannelHeader_asU8(),
        signature: header.getSignatureHeader_asU8(),
      };
      const channelHeader = common.ChannelHeader.deserializeBinary(this.#headerBytes.channel);
      this.txId = channelHeader.getTxId();
      this.channelId = channelHeader.getChannelId();
      this.type = channelHeader.getType();
      const signatureHeader = common.SignatureHeader.deserializeBinary(this.#headerBytes.signature);
      this.headers = { channelHeader, signatureHeader };
      const reason = headerProblem(this.headers);
      if (reason) this.headersFailure = { ...stage, reason };
    } catch {
      this.headersFailure = stage;
    }
  }

  get isEndorserTransaction(): boolean {
    return this.type === common.HeaderType.ENDORSER_TRANSACTION;
  }

  /** The payload's data: a transaction, a configuration or what a client seeks. */
  get data(): Uint8Array {
    return this.#data;
  }

  get timestamp(): { seconds: number; nanos: number } {
    const timestamp = this.headers?.channelHeader.getTimestamp();
    return { seconds: timestamp?.getSeconds() ?? 0, nanos: timestamp?.getNanos() ?? 0 };
  }

  /** Well-formedness of the body, which Fabric checks before it looks for duplicates. */
  get bodyFailure(): Failure | undefined {
    return this.#parsedBody().failure;
  }

  /** What Fabric finds only when it dispatches to the endorsement check, after it has looked for duplicates. */
  get dispatchFailure(): Failure | undefined {
    return this.#parsedBody().lateFailure;
  }

  get action(): EndorsedAction | undefined {
    return this.#parsedBody().action;
  }

  #parsedBody(): ParsedBody {
    this.#body ??= this.#parseBody();
    return this.#body;
  }

  #parseBody(): ParsedBody {
    const invalid = (reason: string): { failure: Failure } => ({
      failure: { code: Code.INVALID_ENDORSER_TRANSACTION, reason },
    });
    let payload: peer.ChaincodeActionPayload;
    let responsePayloadBytes: Uint8Array;
    let response: peer.ProposalResponsePayload;
    try {
      const actions = peer.Transaction.deserializeBinary(this.#data).getActionsList();
      const action = actions[0];
      if (!action || actions.length !== 1) {
        return invalid(`only one action per transaction is supported, tx contains ${actions.length}`);
      }
      const signatureHeader = common.SignatureHeader.deserializeBinary(action.getHeader_asU8());
      if (signatureHeader.getNonce_asU8().length === 0)
        return invalid('invalid nonce specified in the header');
      if (signatureHeader.getCreator_asU8().length === 0)
        return invalid('invalid creator specified in the header');
      payload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
      responsePayloadBytes = payload.getAction()?.getProposalResponsePayload_asU8() ?? new Uint8Array(0);
      response = peer.ProposalResponsePayload.deserializeBinary(responsePayloadBytes);
      const expected = proposalHash(
        this.#headerBytes.channel,
        action.getHeader_asU8(),
        payload.getChaincodeProposalPayload_asU8(),
      );
      if (!equalBytes(expected, response.getProposalHash_asU8()))
        return invalid('proposal hash does not match');
    } catch {
      return invalid('transaction cannot be read');
    }
    return this.#parseAction(payload, responsePayloadBytes, response);
  }

  #parseAction(
    payload: peer.ChaincodeActionPayload,
    responsePayload: Uint8Array,
    response: peer.ProposalResponsePayload,
  ): ParsedBody {
    const late = (code: ValidationCode, reason: string): { lateFailure: Failure } => ({
      lateFailure: { code, reason },
    });
    let stage = late(Code.BAD_HEADER_EXTENSION, 'header extension cannot be read');
    try {
      const extension = peer.ChaincodeHeaderExtension.deserializeBinary(
        this.headers?.channelHeader.getExtension_asU8() ?? new Uint8Array(0),
      );
      stage = late(Code.BAD_RESPONSE_PAYLOAD, 'chaincode action cannot be read');
      const action = peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8());
      stage = late(Code.BAD_RWSET, 'read/write set cannot be read');
      const readWriteSets = readWriteSetsOf(action.getResults_asU8());
      const proposed = extension.getChaincodeId();
      const executed = action.getChaincodeId();
      if (!proposed) return late(Code.INVALID_OTHER_REASON, 'nil ChaincodeId in header extension');
      if (!executed) return late(Code.INVALID_OTHER_REASON, 'nil ChaincodeId in ChaincodeAction');
      if (!proposed.getName()) return late(Code.INVALID_CHAINCODE, 'invalid chaincode ID');
      if (proposed.getName() !== executed.getName()) {
        return late(
          Code.INVALID_CHAINCODE,
          `inconsistent ccid info (${proposed.getName()}/${executed.getName()})`,
        );
      }
      if (!executed.getVersion()) return late(Code.INVALID_CHAINCODE, 'invalid chaincode version');
      stage = late(Code.INVALID_OTHER_REASON, 'invalid chaincode event');
      const eventBytes = action.getEvents_asU8();
      const event = eventBytes.length > 0 ? peer.ChaincodeEvent.deserializeBinary(eventBytes) : undefined;
      if (event && event.getChaincodeId() !== proposed.getName()) {
        return late(
          Code.INVALID_OTHER_REASON,
          'chaincode event chaincode id does not match chaincode action chaincode id',
        );
      }
      if (new Set(readWriteSets.map((set) => set.namespace)).size !== readWriteSets.length) {
        return late(Code.ILLEGAL_WRITESET, 'duplicate namespace in txRWSet');
      }
      return {
        action: {
          responsePayload,
          endorsements: (payload.getAction()?.getEndorsementsList() ?? []).map((endorsement) => ({
            endorser: endorsement.getEndorser_asU8(),
            signature: endorsement.getSignature_asU8(),
          })),
          chaincode: { name: executed.getName(), version: executed.getVersion() },
          proposedChaincode: proposed.getName(),
          readWriteSets,
          event,
        },
      };
    } catch {
      return stage;
    }
  }
}

function headerProblem({ channelHeader, signatureHeader }: Headers): string | undefined {
  const types: readonly number[] = [
    common.HeaderType.ENDORSER_TRANSACTION,
    common.HeaderType.CONFIG_UPDATE,
    common.HeaderType.CONFIG,
  ];
  if (!types.includes(channelHeader.getType())) return `invalid header type ${channelHeader.getType()}`;
  if (channelHeader.getEpoch() !== 0) {
    return `invalid Epoch in ChannelHeader. Expected 0, got [${channelHeader.getEpoch()}]`;
  }
  if (signatureHeader.getNonce_asU8().length === 0) return 'invalid nonce specified in the header';
  if (signatureHeader.getCreator_asU8().length === 0) return 'invalid creator specified in the header';
  return undefined;
}

function readWriteSetsOf(results: Uint8Array): NamespaceReadWriteSet[] {
  return ledger.rwset.TxReadWriteSet.deserializeBinary(results)
    .getNsRwsetList()
    .map((set) => ({
      namespace: set.getNamespace(),
      set: ledger.rwset.kvrwset.KVRWSet.deserializeBinary(set.getRwset_asU8()),
      hasPrivateData: set.getCollectionHashedRwsetList().length > 0,
    }));
}

/** True if the transaction changes the namespace, so that its endorsement policy must hold. */
export function writesTo({ set, hasPrivateData }: NamespaceReadWriteSet): boolean {
  return set.getWritesList().length > 0 || set.getMetadataWritesList().length > 0 || hasPrivateData;
}

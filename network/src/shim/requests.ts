import { randomUUID } from 'node:crypto';
import { peer } from '@hyperledger/fabric-protos';
import { type ResultsIterator } from '../ledger/simulator.js';
import { historyResults, type OpenQuery, stateResults, type TransactionContext } from './context.js';

/**
 * The peer's answers to what a chaincode asks during a transaction (core/chaincode/handler.go). A handler returns the
 * payload of the RESPONSE or throws, which becomes an ERROR with Fabric's text.
 */

const Type = peer.ChaincodeMessage.Type;
type MessageType = number;
type Handler = (
  payload: Uint8Array,
  context: TransactionContext,
  invoke: InvokeChaincode,
) => Promise<Uint8Array>;

/** Runs another chaincode within the transaction; resolves to the message that its process answered. */
export type InvokeChaincode = (
  context: TransactionContext,
  name: string,
  input: peer.ChaincodeInput,
) => Promise<peer.ChaincodeMessage>;

/** Results of one answer, and the most that one query may return (core.yaml: ledger.state.totalQueryLimit). */
const batchSize = 100;
const totalQueryLimit = 100_000;
const nothing = new Uint8Array(0);

function refusePrivateData(collection: string): void {
  if (collection !== '') {
    throw new Error(`private data collections are not supported here: collection '${collection}'`);
  }
}

function putState(context: TransactionContext, collection: string, key: string, value: Uint8Array): void {
  refusePrivateData(collection);
  context.parameters.simulator.setState(context.namespace, key, value);
}

function deleteState(context: TransactionContext, collection: string, key: string): void {
  refusePrivateData(collection);
  context.parameters.simulator.deleteState(context.namespace, key);
}

function putMetadata(
  context: TransactionContext,
  collection: string,
  key: string,
  metadata: peer.StateMetadata | undefined,
): void {
  refusePrivateData(collection);
  const entries = new Map([[metadata?.getMetakey() ?? '', metadata?.getValue_asU8() ?? nothing]]);
  context.parameters.simulator.setStateMetadata(context.namespace, key, entries);
}

async function query(
  context: TransactionContext,
  iterator: ResultsIterator<Uint8Array>,
  limit: number,
  paginated: boolean,
): Promise<Uint8Array> {
  const id = randomUUID();
  const open: OpenQuery = { iterator, limit, pending: [], returned: 0 };
  context.queries.set(id, open);
  return readQuery(context, id, open, paginated);
}

async function readQuery(
  context: TransactionContext,
  id: string,
  open: OpenQuery,
  paginated: boolean,
): Promise<Uint8Array> {
  const response = new peer.QueryResponse();
  response.setId(id);
  const cut = (): void => {
    response.setResultsList(
      open.pending.map((bytes) => {
        const result = new peer.QueryResultBytes();
        result.setResultbytes(bytes);
        return result;
      }),
    );
    open.pending = [];
  };
  try {
    while (open.returned < open.limit) {
      const result = await open.iterator.next();
      if (!result) break;
      const full = !paginated && open.pending.length === batchSize;
      if (full) cut();
      open.pending.push(result);
      open.returned++;
      if (full) {
        response.setHasMore(true);
        return response.serializeBinary();
      }
    }
    cut();
    if (paginated) {
      const metadata = new peer.QueryResponseMetadata();
      metadata.setFetchedRecordsCount(open.returned);
      metadata.setBookmark(await open.iterator.bookmarkAndClose());
      response.setMetadata(metadata.serializeBinary());
    }
  } catch (error) {
    await closeQuery(context, id);
    throw error;
  }
  await closeQuery(context, id);
  return response.serializeBinary();
}

async function closeQuery(context: TransactionContext, id: string): Promise<void> {
  const open = context.queries.get(id);
  context.queries.delete(id);
  await open?.iterator.close();
}

/** Page size and bookmark, if the chaincode asked for a page. */
function pageOf(metadata: Uint8Array): { size: number; bookmark: string } | undefined {
  if (metadata.length === 0) return undefined;
  const message = peer.QueryMetadata.deserializeBinary(metadata);
  const page = { size: message.getPagesize(), bookmark: message.getBookmark() };
  return page.size === 0 && page.bookmark === '' ? undefined : page;
}

async function getStateByRange(payload: Uint8Array, context: TransactionContext): Promise<Uint8Array> {
  const request = peer.GetStateByRange.deserializeBinary(payload);
  refusePrivateData(request.getCollection());
  const { simulator } = context.parameters;
  const page = pageOf(request.getMetadata_asU8());
  const start = page?.bookmark ? page.bookmark : request.getStartkey();
  const iterator = page
    ? simulator.page(context.namespace, start, request.getEndkey(), page.size)
    : simulator.range(context.namespace, start, request.getEndkey());
  const limit = page && page.size > 0 ? Math.min(page.size, totalQueryLimit) : totalQueryLimit;
  return query(context, stateResults(context.namespace, iterator), limit, page !== undefined);
}

function metadataResult(metadata: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const result = new peer.StateMetadataResult();
  for (const [name, value] of metadata) {
    const entry = new peer.StateMetadata();
    entry.setMetakey(name);
    entry.setValue(value);
    result.addEntries(entry);
  }
  return result.serializeBinary();
}

function writeBatch(payload: Uint8Array, context: TransactionContext): void {
  for (const record of peer.WriteBatchState.deserializeBinary(payload).getRecList()) {
    switch (record.getType()) {
      case peer.WriteRecord.Type.PUT_STATE:
        putState(context, record.getCollection(), record.getKey(), record.getValue_asU8());
        break;
      case peer.WriteRecord.Type.DEL_STATE:
        deleteState(context, record.getCollection(), record.getKey());
        break;
      case peer.WriteRecord.Type.PUT_STATE_METADATA:
        putMetadata(context, record.getCollection(), record.getKey(), record.getMetadata());
        break;
      case peer.WriteRecord.Type.PURGE_PRIVATE_DATA:
        refusePrivateData(record.getCollection());
        throw new Error('only applicable for private data');
      default:
        throw new Error('unknown operation type');
    }
  }
}

const handlers: Readonly<Record<MessageType, Handler>> = {
  [Type.GET_STATE]: async (payload, context) => {
    const request = peer.GetState.deserializeBinary(payload);
    refusePrivateData(request.getCollection());
    return context.parameters.simulator.getState(context.namespace, request.getKey()) ?? nothing;
  },
  [Type.GET_STATE_MULTIPLE]: async (payload, context) => {
    const request = peer.GetStateMultiple.deserializeBinary(payload);
    refusePrivateData(request.getCollection());
    const result = new peer.GetStateMultipleResult();
    result.setValuesList(
      request
        .getKeysList()
        .map((key) => context.parameters.simulator.getState(context.namespace, key) ?? nothing),
    );
    return result.serializeBinary();
  },
  [Type.PUT_STATE]: async (payload, context) => {
    const request = peer.PutState.deserializeBinary(payload);
    putState(context, request.getCollection(), request.getKey(), request.getValue_asU8());
    return nothing;
  },
  [Type.DEL_STATE]: async (payload, context) => {
    const request = peer.DelState.deserializeBinary(payload);
    deleteState(context, request.getCollection(), request.getKey());
    return nothing;
  },
  [Type.WRITE_BATCH_STATE]: async (payload, context) => {
    writeBatch(payload, context);
    return nothing;
  },
  [Type.GET_STATE_METADATA]: async (payload, context) => {
    const request = peer.GetStateMetadata.deserializeBinary(payload);
    refusePrivateData(request.getCollection());
    return metadataResult(context.parameters.simulator.getStateMetadata(context.namespace, request.getKey()));
  },
  [Type.PUT_STATE_METADATA]: async (payload, context) => {
    const request = peer.PutStateMetadata.deserializeBinary(payload);
    putMetadata(context, request.getCollection(), request.getKey(), request.getMetadata());
    return nothing;
  },
  [Type.GET_STATE_BY_RANGE]: getStateByRange,
  [Type.GET_QUERY_RESULT]: async (payload) => {
    const request = peer.GetQueryResult.deserializeBinary(payload);
    refusePrivateData(request.getCollection());
    const page = pageOf(request.getMetadata_asU8());
    throw new Error(`ExecuteQuery${page ? 'WithMetadata' : ''} not supported for leveldb`);
  },
  [Type.GET_HISTORY_FOR_KEY]: async (payload, context) => {
    const key = peer.GetHistoryForKey.deserializeBinary(payload).getKey();
    const iterator = historyResults(context.parameters.ledger, context.namespace, key);
    return query(context, iterator, totalQueryLimit, false);
  },
  [Type.QUERY_STATE_NEXT]: async (payload, context) => {
    const id = peer.QueryStateNext.deserializeBinary(payload).getId();
    const open = context.queries.get(id);
    if (!open) throw new Error('query iterator not found');
    return readQuery(context, id, open, false);
  },
  [Type.QUERY_STATE_CLOSE]: async (payload, context) => {
    const id = peer.QueryStateClose.deserializeBinary(payload).getId();
    await closeQuery(context, id);
    const response = new peer.QueryResponse();
    response.setId(id);
    return response.serializeBinary();
  },
  [Type.INVOKE_CHAINCODE]: async (payload, context, invoke) => {
    const spec = peer.ChaincodeSpec.deserializeBinary(payload);
    const name = spec.getChaincodeId()?.getName() ?? '';
    const answer = await invoke(context, name, spec.getInput() ?? new peer.ChaincodeInput());
    return answer.serializeBinary();
  },
  [Type.GET_PRIVATE_DATA_HASH]: async (payload) => {
    refusePrivateData(peer.GetState.deserializeBinary(payload).getCollection());
    return nothing;
  },
  [Type.PURGE_PRIVATE_DATA]: async (payload) => {
    refusePrivateData(peer.PurgePrivateState.deserializeBinary(payload).getCollection());
    throw new Error('only applicable for private data');
  },
};

const typeNames = new Map(Object.entries(Type).map(([name, number]) => [number as MessageType, name]));

export function messageTypeName(type: MessageType): string {
  return typeNames.get(type) ?? String(type);
}

/** True for the messages by which a chaincode asks its peer for something. */
export function isRequest(type: MessageType): boolean {
  return type in handlers;
}

/** @throws Error whose text goes back to the chaincode */
export async function answerRequest(
  type: MessageType,
  payload: Uint8Array,
  context: TransactionContext,
  invoke: InvokeChaincode,
): Promise<Uint8Array> {
  const handler = handlers[type];
  if (!handler) throw new Error(`unknown request ${messageTypeName(type)}`);
  return handler(payload, context, invoke);
}

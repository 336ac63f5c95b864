import { ledger, type peer } from '@hyperledger/fabric-protos';
import { type PeerLedger } from '../ledger/peer-ledger.js';
import { type ResultsIterator, type Simulator } from '../ledger/simulator.js';

/** What one transaction runs with, on one channel. A call into another channel gets its own simulator. */
export interface TransactionParameters {
  readonly txId: string;
  readonly channel: string;
  readonly signedProposal: peer.SignedProposal;
  readonly ledger: PeerLedger;
  readonly simulator: Simulator;
}

/** A query that a chaincode is reading, with the result that did not fit the last answer. */
export interface OpenQuery {
  readonly iterator: ResultsIterator<Uint8Array>;
  readonly limit: number;
  pending: Uint8Array[];
  returned: number;
}

/** A running call of a chaincode, as its stream knows it: by channel and transaction id. */
export class TransactionContext {
  readonly queries = new Map<string, OpenQuery>();
  /** A chaincode may have one request open at a time. */
  busy = false;

  constructor(
    readonly namespace: string,
    readonly parameters: TransactionParameters,
    readonly finish: (message: peer.ChaincodeMessage) => void,
    readonly fail: (error: Error) => void,
  ) {}

  async closeQueries(): Promise<void> {
    const open = [...this.queries.values()];
    this.queries.clear();
    await Promise.all(open.map(({ iterator }) => iterator.close()));
  }
}

/** Turns state values into the bytes of a query result. */
export function stateResults(
  namespace: string,
  iterator: ResultsIterator<{ readonly key: string; readonly value: Uint8Array }>,
): ResultsIterator<Uint8Array> {
  return {
    async next() {
      const found = await iterator.next();
      if (!found) return undefined;
      const result = new ledger.queryresult.KV();
      result.setNamespace(namespace);
      result.setKey(found.key);
      result.setValue(found.value);
      return result.serializeBinary();
    },
    bookmarkAndClose: () => iterator.bookmarkAndClose(),
    close: () => iterator.close(),
  };
}

/** Every valid write of a key, newest first, read from the blocks. */
export function historyResults(
  peerLedger: PeerLedger,
  namespace: string,
  key: string,
): ResultsIterator<Uint8Array> {
  const positions = peerLedger.history(namespace, key);
  const close = (): Promise<void> => positions.close();
  return {
    async next() {
      const position = await positions.next();
      if (!position) return undefined;
      const { transactions } = await peerLedger.block(position.block);
      const transaction = transactions[position.tx];
      const write = transaction?.action?.readWriteSets
        .find((set) => set.namespace === namespace)
        ?.set.getWritesList()
        .find((candidate) => candidate.getKey() === key);
      if (!transaction || !write)
        throw new Error(`key [${key}] is not written at ${position.block}:${position.tx}`);
      const result = new ledger.queryresult.KeyModification();
      result.setTxId(transaction.txId);
      result.setValue(write.getValue_asU8());
      result.setIsDelete(write.getIsDelete() || write.getValue_asU8().length === 0);
      result.setTimestamp(transaction.headers?.channelHeader.getTimestamp());
      return result.serializeBinary();
    },
    async bookmarkAndClose() {
      await close();
      return '';
    },
    close,
  };
}

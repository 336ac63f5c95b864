import { type Block, blockHeaderHash, metadataIndex } from '../protos/block.js';
import { Code, TransactionEnvelope, type ValidationCode } from '../protos/transaction.js';
import { indexOperation, type Indexes } from './indexes.js';
import { encodeValue, type Operation, stateKey } from './state-db.js';
import { type Updates } from './updates.js';

/** A block as a peer committed it, with its transactions taken apart. */
export interface CommittedBlock {
  readonly block: Block;
  readonly transactions: readonly TransactionEnvelope[];
  readonly codes: readonly ValidationCode[];
}

/** Takes a stored block apart; the codes are those that the peer gave its transactions. */
export function readCommitted(block: Block): CommittedBlock {
  return {
    block,
    transactions: block.data.map((bytes) => new TransactionEnvelope(bytes)),
    codes: Array.from(block.metadata[metadataIndex.transactionsFilter] ?? []),
  };
}

/** Everything that a block changes in the database, to be written as one batch. */
export function blockOperations(
  { block, transactions, codes }: CommittedBlock,
  updates: Updates,
  indexes: Indexes,
): Operation[] {
  const { number } = block.header;
  const operations = [
    indexOperation.height(number + 1),
    indexOperation.written(number),
    indexOperation.blockHash(blockHeaderHash(block.header), number),
  ];
  const indexed = new Set<string>();
  transactions.forEach((transaction, tx) => {
    const code = codes[tx] ?? Code.INVALID_OTHER_REASON;
    const { txId } = transaction;
    if (txId !== '' && !indexed.has(txId) && !indexes.transaction(txId)) {
      indexed.add(txId);
      operations.push(indexOperation.transaction(txId, { block: number, tx, code }));
    }
    if (code !== Code.VALID) return;
    for (const { namespace, set } of transaction.action?.readWriteSets ?? []) {
      for (const write of set.getWritesList()) {
        operations.push(indexOperation.history(namespace, write.getKey(), number, tx));
      }
    }
  });
  for (const { namespace, key, value, metadata, version } of updates.values()) {
    const stored = stateKey(namespace, key);
    operations.push(
      value === null
        ? { type: 'del', key: stored }
        : { type: 'put', key: stored, value: encodeValue({ value, metadata, version }) },
    );
  }
  return operations;
}

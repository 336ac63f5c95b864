import { peer } from '@hyperledger/fabric-protos';
import { type CommittedBlock } from '../ledger/committed-block.js';
import { Code } from '../protos/transaction.js';

type FilteredType = Parameters<peer.FilteredTransaction['setType']>[0];
type FilteredCode = Parameters<peer.FilteredTransaction['setTxValidationCode']>[0];

/** A block reduced to ids, types, codes and the names of events (core/peer/deliverevents.go). */
export function filteredBlock({ block, transactions, codes }: CommittedBlock): peer.FilteredBlock {
  const filtered = new peer.FilteredBlock();
  filtered.setNumber(block.header.number);
  transactions.forEach((transaction, index) => {
    if (!transaction.headers) return;
    filtered.setChannelId(transaction.channelId);
    const message = new peer.FilteredTransaction();
    message.setTxid(transaction.txId);
    message.setType(transaction.type as FilteredType);
    message.setTxValidationCode((codes[index] ?? Code.INVALID_OTHER_REASON) as FilteredCode);
    if (transaction.isEndorserTransaction) {
      const actions = new peer.FilteredTransactionActions();
      const event = transaction.action?.event;
      if (event) {
        const visible = new peer.ChaincodeEvent();
        visible.setTxId(event.getTxId());
        visible.setChaincodeId(event.getChaincodeId());
        visible.setEventName(event.getEventName());
        const action = new peer.FilteredChaincodeAction();
        action.setChaincodeEvent(visible);
        actions.setChaincodeActionsList([action]);
      }
      message.setTransactionActions(actions);
    }
    filtered.addFilteredTransactions(message);
  });
  return filtered;
}

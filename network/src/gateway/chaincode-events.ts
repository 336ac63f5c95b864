import { gateway, orderer, type peer } from '@hyperledger/fabric-protos';
import { type CommittedBlock } from '../ledger/committed-block.js';
import { type PeerLedger } from '../ledger/peer-ledger.js';
import { errorMessage } from '../protos/bytes.js';
import { Code } from '../protos/transaction.js';
import { type Gateway } from './gateway.js';
import { parse } from './requests.js';
import { rpc } from './rpc-error.js';

/**
 * The events of one chaincode, a response for each block that has some, from the block that the request names and
 * after the transaction that it has seen (internal/pkg/gateway/chaincodeevents.go). Ends with the signal.
 */
export async function* chaincodeEvents(
  service: Gateway,
  signed: gateway.SignedChaincodeEventsRequest,
  signal: AbortSignal,
): AsyncGenerator<gateway.ChaincodeEventsResponse> {
  const bytes = signed.getRequest_asU8();
  if (bytes.length === 0) throw rpc.invalidArgument('a chaincode events request is required');
  const request = parse(
    () => gateway.ChaincodeEventsRequest.deserializeBinary(bytes),
    'invalid chaincode events request',
  );
  const { ledger } = service.readableChannel(request.getChannelId(), {
    data: bytes,
    identity: request.getIdentity_asU8(),
    signature: signed.getSignature_asU8(),
  });
  const seen = request.getAfterTransactionId();
  let skipping = seen !== '';
  for (let number = startBlock(ledger, request); ; number++) {
    let committed: CommittedBlock | undefined;
    try {
      committed = await ledger.nextBlock(number, signal);
    } catch (error) {
      throw rpc.aborted(errorMessage(error));
    }
    if (!committed) return;
    const events: peer.ChaincodeEvent[] = [];
    for (const event of eventsOf(committed)) {
      if (skipping) skipping = event.getTxId() !== seen;
      else if (event.getChaincodeId() === request.getChaincodeId()) events.push(event);
    }
    if (events.length === 0) continue;
    const response = new gateway.ChaincodeEventsResponse();
    response.setBlockNumber(number);
    response.setEventsList(events);
    yield response;
  }
}

/** Events of the block's valid transactions, in order. */
function eventsOf({ transactions, codes }: CommittedBlock): peer.ChaincodeEvent[] {
  return transactions
    .filter((_, index) => codes[index] === Code.VALID)
    .map((transaction) => (transaction.isEndorserTransaction ? transaction.action?.event : undefined))
    .filter((event) => event !== undefined);
}

function startBlock(ledger: PeerLedger, request: gateway.ChaincodeEventsRequest): number {
  const after = request.getAfterTransactionId();
  const location = after === '' ? undefined : ledger.transactionLocation(after);
  if (location) return location.block;
  const position = request.getStartPosition();
  const { TypeCase } = orderer.SeekPosition;
  switch (position?.getTypeCase() ?? TypeCase.TYPE_NOT_SET) {
    case TypeCase.TYPE_NOT_SET:
    case TypeCase.NEXT_COMMIT:
      return ledger.height;
    case TypeCase.SPECIFIED:
      return position?.getSpecified()?.getNumber() ?? 0;
    case TypeCase.OLDEST:
      throw rpc.invalidArgument('invalid start position type: *orderer.SeekPosition_Oldest');
    default:
      throw rpc.invalidArgument('invalid start position type: *orderer.SeekPosition_Newest');
  }
}

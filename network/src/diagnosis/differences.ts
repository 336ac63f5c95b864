import { ledger, peer } from '@hyperledger/fabric-protos';
import { asBuffer, equalBytes, sha256 } from '../protos/bytes.js';

const LONGEST_VALUE = 60;
const MOST = 5;

/**
 * What two endorsers of one transaction answered differently: keys, values, response, event. Serialized
 * `ProposalResponsePayload`s; a chaincode whose answers differ uses a clock, randomness, or state of its process.
 */
export function differences(
  first: { readonly mspId: string; readonly payload: Uint8Array },
  second: { readonly mspId: string; readonly payload: Uint8Array },
): string[] {
  const [a, b] = [partsOf(first.payload), partsOf(second.payload)];
  const found: string[] = [];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(name), b.get(name)];
    if (left && right ? equalBytes(left, right) : left === right) continue;
    found.push(`${name}: ${first.mspId} has ${preview(left)}, ${second.mspId} has ${preview(right)}`);
  }
  const rest = found.length - MOST;
  return rest > 0 ? [...found.slice(0, MOST), `and ${rest} more differences`] : found;
}

/** Everything that an endorsement covers, by a name for a person. */
function partsOf(bytes: Uint8Array): Map<string, Uint8Array> {
  const payload = peer.ProposalResponsePayload.deserializeBinary(bytes);
  const action = peer.ChaincodeAction.deserializeBinary(payload.getExtension_asU8());
  const response = action.getResponse();
  const event = peer.ChaincodeEvent.deserializeBinary(action.getEvents_asU8());
  const parts = new Map<string, Uint8Array>([
    ['the response', response?.getPayload_asU8() ?? new Uint8Array(0)],
    ["the response's message", Buffer.from(response?.getMessage() ?? '')],
    ["the event's name", Buffer.from(event.getEventName())],
    ["the event's payload", event.getPayload_asU8()],
    ['the version of the chaincode', Buffer.from(action.getChaincodeId()?.getVersion() ?? '')],
  ]);
  const sets = ledger.rwset.TxReadWriteSet.deserializeBinary(action.getResults_asU8()).getNsRwsetList();
  for (const namespace of sets) {
    const set = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8());
    const of = (what: string, key: string): string => `${what} "${key}" of ${namespace.getNamespace()}`;
    for (const read of set.getReadsList()) {
      const version = read.getVersion();
      const text = version ? `block ${version.getBlockNum()}, transaction ${version.getTxNum()}` : 'no value';
      parts.set(of('the version read of', read.getKey()), Buffer.from(text));
    }
    for (const write of set.getWritesList()) {
      const value = write.getIsDelete() ? Buffer.from('(deleted)') : write.getValue_asU8();
      parts.set(of('the value written to', write.getKey()), value);
    }
    for (const write of set.getMetadataWritesList())
      parts.set(of('the metadata written to', write.getKey()), write.serializeBinary());
    for (const query of set.getRangeQueriesInfoList())
      parts.set(of('the range read from', query.getStartKey()), query.serializeBinary());
  }
  return parts;
}

function preview(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return 'nothing';
  const text = asBuffer(bytes).toString('utf8');
  if (bytes.length <= LONGEST_VALUE && /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text)) return `"${text}"`;
  return `${bytes.length} bytes (SHA-256 ${sha256(bytes).toString('hex').slice(0, 12)}...)`;
}

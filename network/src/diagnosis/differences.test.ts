import { peer } from '@hyperledger/fabric-protos';
import { ReadWriteSetBuilder } from '../ledger/read-write-set.js';
import { differences } from './differences.js';

function payload(fill: (set: ReadWriteSetBuilder) => void, result = ''): Uint8Array {
  const set = new ReadWriteSetBuilder();
  fill(set);
  const response = new peer.Response();
  response.setPayload(Buffer.from(result));
  const action = new peer.ChaincodeAction();
  action.setResults(set.build().toBuffer());
  action.setResponse(response);
  const message = new peer.ProposalResponsePayload();
  message.setExtension$(action.serializeBinary());
  return message.serializeBinary();
}

const compare = (a: Uint8Array, b: Uint8Array): string[] =>
  differences({ mspId: 'Org1MSP', payload: a }, { mspId: 'Org2MSP', payload: b });

describe('what differs between two endorsers', () => {
  it('is nothing where they agree', () => {
    const same = payload((set) => set.addWrite('basic', 'a', Buffer.from('1')), '1');
    expect(compare(same, same)).toStrictEqual([]);
  });

  it('is named with both values', () => {
    expect(
      compare(
        payload((set) => set.addWrite('basic', 'a', Buffer.from('12:00:01')), 'x'),
        payload((set) => set.addWrite('basic', 'a', Buffer.from('12:00:02')), 'y'),
      ),
    ).toStrictEqual([
      'the response: Org1MSP has "x", Org2MSP has "y"',
      'the value written to "a" of basic: Org1MSP has "12:00:01", Org2MSP has "12:00:02"',
    ]);
  });

  it('may be a key that only one wrote, or a version that only one read', () => {
    expect(
      compare(
        payload((set) => {
          set.addRead('basic', 'r', { block: 4, tx: 1 });
          set.addWrite('basic', 'a', Buffer.alloc(100));
        }),
        payload((set) => set.addRead('basic', 'r', undefined)),
      ),
    ).toStrictEqual([
      'the version read of "r" of basic: Org1MSP has "block 4, transaction 1", Org2MSP has "no value"',
      expect.stringMatching(
        /^the value written to "a" of basic: Org1MSP has 100 bytes \(SHA-256 [0-9a-f]{12}\.\.\.\), Org2MSP has nothing$/,
      ),
    ]);
  });

  it('is cut where there is much of it', () => {
    const many = (value: string): Uint8Array =>
      payload((set) => {
        for (let index = 0; index < 20; index++) set.addWrite('basic', `k${index}`, Buffer.from(value));
      });
    expect(compare(many('1'), many('2'))).toHaveLength(6);
    expect(compare(many('1'), many('2')).at(-1)).toBe('and 15 more differences');
  });
});

import { peer } from '@hyperledger/fabric-protos';
import { put, TestLedger } from '../../test/support/test-ledger.js';
import { Signer } from '../msp/identity.js';
import { encodeSignature, parseSignature } from '../msp/signature.js';
import { Code, TransactionEnvelope } from '../protos/transaction.js';

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

describe("a peer's ledger validates", () => {
  const test = new TestLedger();
  const { transaction, commit, state } = test;
  beforeAll(() => test.prepare());
  beforeEach(() => test.begin());
  afterEach(() => test.end());

  const cases: [string, number, () => TransactionEnvelope][] = [
    ['a good transaction', Code.VALID, () => transaction(put('k', 'v'))],
    [
      'bytes that are no envelope',
      Code.INVALID_OTHER_REASON,
      () => new TransactionEnvelope(Buffer.from('junk')),
    ],
    ['an empty envelope', Code.BAD_COMMON_HEADER, () => new TransactionEnvelope(Buffer.alloc(0))],
    [
      'an unknown header type',
      Code.BAD_COMMON_HEADER,
      () => transaction(put('k', 'v'), { revise: { channelHeader: (header) => void header.setType(6) } }),
    ],
    [
      'an epoch',
      Code.BAD_COMMON_HEADER,
      () => transaction(put('k', 'v'), { revise: { channelHeader: (header) => void header.setEpoch(1) } }),
    ],
    [
      'a payload changed after signing',
      Code.BAD_CREATOR_SIGNATURE,
      () =>
        transaction(put('k', 'v'), {
          revise: {
            signature: (signature) =>
              Buffer.from(signature.map((byte, index) => (index === 20 ? byte ^ 1 : byte))),
          },
        }),
    ],
    [
      "a creator's signature with a high S",
      Code.BAD_CREATOR_SIGNATURE,
      () =>
        transaction(put('k', 'v'), {
          revise: {
            signature: (signature) => {
              const { r, s } = parseSignature(signature)!;
              return encodeSignature(r, order - s);
            },
          },
        }),
    ],
    [
      'a creator of another authority',
      Code.BAD_CREATOR_SIGNATURE,
      () => transaction(put('k', 'v'), { creator: new Signer('A', test.organizations[1]!.options.admin!) }),
    ],
    [
      'an id that is not the hash of nonce and creator',
      Code.BAD_PROPOSAL_TXID,
      () => transaction(put('k', 'v'), { revise: { channelHeader: (header) => void header.setTxId('ab') } }),
    ],
    [
      'a configuration update',
      Code.UNSUPPORTED_TX_PAYLOAD,
      () => transaction(put('k', 'v'), { revise: { channelHeader: (header) => void header.setType(2) } }),
    ],
    [
      'another channel',
      Code.TARGET_CHAIN_NOT_FOUND,
      () => transaction(put('k', 'v'), { channel: 'elsewhere' }),
    ],
    [
      'a result that is bound to another proposal',
      Code.INVALID_ENDORSER_TRANSACTION,
      () =>
        transaction(put('k', 'v'), {
          revise: {
            payload: (payload) => {
              const changed = peer.ProposalResponsePayload.deserializeBinary(payload);
              changed.setProposalHash(Buffer.alloc(32));
              return changed.serializeBinary();
            },
          },
        }),
    ],
    [
      'a read/write set changed after endorsement',
      Code.ENDORSEMENT_POLICY_FAILURE,
      () => {
        const other = transaction(put('k', 'other')).action!.responsePayload;
        return transaction(put('k', 'v'), {
          revise: {
            payload: (payload) => {
              const changed = peer.ProposalResponsePayload.deserializeBinary(other);
              changed.setProposalHash(
                peer.ProposalResponsePayload.deserializeBinary(payload).getProposalHash_asU8(),
              );
              return changed.serializeBinary();
            },
          },
        });
      },
    ],
    [
      'one endorsement too few',
      Code.ENDORSEMENT_POLICY_FAILURE,
      () => transaction(put('k', 'v'), { endorsers: test.peers.slice(0, 1) }),
    ],
    [
      'the same endorser twice',
      Code.ENDORSEMENT_POLICY_FAILURE,
      () => transaction(put('k', 'v'), { endorsers: [test.peers[0]!, test.peers[0]!] }),
    ],
    [
      'a forged endorsement',
      Code.ENDORSEMENT_POLICY_FAILURE,
      () =>
        transaction(put('k', 'v'), {
          revise: {
            endorsement: (endorsement, signer, payload) => {
              if (signer === test.peers[1]) {
                endorsement.setSignature(test.peers[0]!.sign(Buffer.concat([payload, signer.serialized])));
              }
            },
          },
        }),
    ],
    [
      'a client as an endorser',
      Code.ENDORSEMENT_POLICY_FAILURE,
      () => transaction(put('k', 'v'), { endorsers: [test.peers[0]!, test.client] }),
    ],
    [
      'an undefined chaincode',
      Code.INVALID_CHAINCODE,
      () => transaction(put('k', 'v', 'nothing'), { chaincode: 'nothing' }),
    ],
    [
      'a write to an undefined namespace',
      Code.INVALID_CHAINCODE,
      () => transaction(put('k', 'v', 'nothing')),
    ],
    ['no chaincode version', Code.INVALID_CHAINCODE, () => transaction(put('k', 'v'), { version: '' })],
    [
      'an event of another chaincode',
      Code.INVALID_OTHER_REASON,
      () => transaction(put('k', 'v'), { event: { name: 'e', chaincode: 'other' } }),
    ],
  ];

  it.each(cases)('%s as %d', async (_, code, make) => {
    expect(await commit(make())).toEqual([code]);
    expect(state('k')).toBe(code === Code.VALID ? 'v' : undefined);
  });

  it('a transaction that comes again, in the same or a later block', async () => {
    const once = transaction(put('k', 'v'));
    expect(await commit(once, new TransactionEnvelope(once.bytes))).toEqual([
      Code.VALID,
      Code.DUPLICATE_TXID,
    ]);
    expect(await commit(new TransactionEnvelope(once.bytes))).toEqual([Code.DUPLICATE_TXID]);
    expect(test.ledger.transactionLocation(once.txId)).toEqual({ block: 2 - 1, tx: 0, code: Code.VALID });
  });
});

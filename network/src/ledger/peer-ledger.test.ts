import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peer } from '@hyperledger/fabric-protos';
import { craft, type CraftOptions } from '../../test/support/craft.js';
import { createOrganization, type TestOrganization } from '../../test/support/test-network.js';
import { Signer } from '../msp/identity.js';
import { MspManager } from '../msp/manager.js';
import { Msp } from '../msp/msp.js';
import { encodeSignature, parseSignature } from '../msp/signature.js';
import { ChannelPolicies, encodeApplicationPolicy, parsePolicy } from '../policy/channel-policies.js';
import { parseSignaturePolicy } from '../policy/parser.js';
import { encodeSignaturePolicy } from '../policy/signature-policy.js';
import { newBlock } from '../protos/block.js';
import { Code, TransactionEnvelope } from '../protos/transaction.js';
import { definitionEntries, lifecycleNamespace } from './lifecycle-state.js';
import { PeerLedger } from './peer-ledger.js';
import { kvRead, RangeSummarizer } from './range-query.js';
import { type ReadWriteSetBuilder } from './read-write-set.js';

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const never = new AbortController().signal;

describe("a peer's ledger", () => {
  let organizations: TestOrganization[];
  let policies: ChannelPolicies;
  let client: Signer;
  let peers: Signer[];
  let dir: string;
  let ledger: PeerLedger;
  const log: string[] = [];

  beforeAll(async () => {
    organizations = await Promise.all(['A', 'B', 'C'].map((mspId) => createOrganization(mspId, true)));
    const manager = new MspManager(
      await Promise.all(organizations.map(({ options }) => Msp.create(options))),
    );
    const endorsement = parsePolicy("OutOf(2,'A.peer','B.peer','C.peer')");
    policies = new ChannelPolicies(manager, ['A', 'B', 'C'], {
      Endorsement: endorsement,
      LifecycleEndorsement: endorsement,
    });
    peers = organizations.map(({ mspId, options }) => new Signer(mspId, options.peer!.signing));
    client = new Signer('A', await organizations[0]!.issue('user', 'client'));
  });

  function open(): Promise<PeerLedger> {
    return PeerLedger.open({ dir, channel: 'ch', policies, log: (message) => log.push(message) });
  }

  const transaction = (
    readWriteSet: (set: ReadWriteSetBuilder) => void,
    options: Partial<CraftOptions> = {},
  ): TransactionEnvelope =>
    craft({
      channel: 'ch',
      creator: client,
      endorsers: peers.slice(0, 2),
      chaincode: 'cc',
      readWriteSet,
      ...options,
    });
  const put =
    (key: string, value: string, namespace = 'cc') =>
    (set: ReadWriteSetBuilder): void =>
      set.addWrite(namespace, key, Buffer.from(value));

  /** Commits a block of these transactions and returns their codes. */
  async function commit(...transactions: TransactionEnvelope[]): Promise<number[]> {
    const data = transactions.map(({ bytes }) => bytes);
    const number = ledger.height;
    ledger.announce(await ledger.commit(newBlock(number, ledger.lastHash, data), transactions));
    return [...(await ledger.block(number)).codes];
  }

  const state = (key: string): string | undefined => {
    const value = ledger.state.get('cc', key)?.value;
    return value && Buffer.from(value).toString();
  };

  const define = (name: string, policy: string): TransactionEnvelope =>
    transaction(
      (set) => {
        const entries = definitionEntries({
          name,
          version: '1.0',
          sequence: 1,
          validationParameter: encodeApplicationPolicy(policy),
        });
        for (const [key, value] of entries) set.addWrite(lifecycleNamespace, key, value);
      },
      { chaincode: lifecycleNamespace },
    );

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ledger-'));
    ledger = await open();
    await commit(define('cc', '/Channel/Application/Endorsement'));
  });

  afterEach(async () => {
    await ledger.close();
    rmSync(dir, { recursive: true, force: true });
  });

  describe('validates', () => {
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
        () => transaction(put('k', 'v'), { creator: new Signer('A', organizations[1]!.options.admin!) }),
      ],
      [
        'an id that is not the hash of nonce and creator',
        Code.BAD_PROPOSAL_TXID,
        () =>
          transaction(put('k', 'v'), { revise: { channelHeader: (header) => void header.setTxId('ab') } }),
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
        () => transaction(put('k', 'v'), { endorsers: peers.slice(0, 1) }),
      ],
      [
        'the same endorser twice',
        Code.ENDORSEMENT_POLICY_FAILURE,
        () => transaction(put('k', 'v'), { endorsers: [peers[0]!, peers[0]!] }),
      ],
      [
        'a forged endorsement',
        Code.ENDORSEMENT_POLICY_FAILURE,
        () =>
          transaction(put('k', 'v'), {
            revise: {
              endorsement: (endorsement, signer, payload) => {
                if (signer === peers[1]) {
                  endorsement.setSignature(peers[0]!.sign(Buffer.concat([payload, signer.serialized])));
                }
              },
            },
          }),
      ],
      [
        'a client as an endorser',
        Code.ENDORSEMENT_POLICY_FAILURE,
        () => transaction(put('k', 'v'), { endorsers: [peers[0]!, client] }),
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
      expect(ledger.transactionLocation(once.txId)).toEqual({ block: 2 - 1, tx: 0, code: Code.VALID });
    });
  });

  describe('checks reads', () => {
    const read = (key: string, version: { block: number; tx: number } | undefined, into: string) =>
      transaction((set) => {
        set.addRead('cc', key, version);
        set.addWrite('cc', into, Buffer.from('read'));
      });

    it('against the versions in the state and earlier in the block', async () => {
      expect(await commit(transaction(put('k', '1')))).toEqual([0]);
      const version = ledger.state.get('cc', 'k')!.version;
      expect(version).toEqual({ block: 1, tx: 0 });
      expect(
        await commit(
          read('k', version, 'x'),
          read('k', { block: 0, tx: 0 }, 'y'),
          read('absent', undefined, 'z'),
          read('absent', version, 'z'),
          transaction(put('k', '2')),
          read('k', version, 'late'),
        ),
      ).toEqual([0, 11, 0, 11, 0, 11]);
      expect([state('x'), state('y'), state('late'), state('k')]).toEqual([
        'read',
        undefined,
        undefined,
        '2',
      ]);
    });

    it.each([3, 60, 200])('of ranges of %i keys against phantoms', async (count) => {
      const keys = Array.from({ length: count }, (_, index) => `r${String(index).padStart(4, '0')}`);
      await commit(transaction((set) => keys.forEach((key) => set.addWrite('cc', key, Buffer.from('v')))));
      const version = { block: 1, tx: 0 };
      const scan = (exhausted: boolean, into: string): TransactionEnvelope =>
        transaction((set) => {
          const summary = new RangeSummarizer();
          keys.forEach((key) => summary.add(kvRead(key, version)));
          const query = set.addRangeQuery('cc', 'r', summary);
          query.exhausted = exhausted;
          query.end = exhausted ? 's' : keys.at(-1)!;
          set.addWrite('cc', into, Buffer.from('scanned'));
        });
      expect(await commit(scan(true, 'x'), scan(false, 'y'))).toEqual([0, 0]);
      // A new key behind the last one matters only to the query that went on to the end.
      expect(await commit(transaction(put('rzzz', 'new')), scan(true, 'x'), scan(false, 'y'))).toEqual([
        0, 12, 0,
      ]);
      expect(await commit(scan(true, 'x'), scan(false, 'y'))).toEqual([12, 0]);
      expect(
        await commit(
          transaction((set) => set.addWrite('cc', keys[1]!, null)),
          scan(false, 'y'),
        ),
      ).toEqual([0, 12]);
      expect(await commit(scan(false, 'y'))).toEqual([12]);
    });
  });

  describe('keeps metadata', () => {
    const requireC = (key: string) =>
      transaction((set) =>
        set.addMetadataWrite(
          'cc',
          key,
          new Map([['VALIDATION_PARAMETER', encodeSignaturePolicy(parseSignaturePolicy("AND('C.peer')"))]]),
        ),
      );
    const byC = { endorsers: [] as Signer[] };

    beforeEach(() => {
      byC.endorsers = [peers[2]!];
    });

    it('as the policy of a key, which a new value keeps and a deletion drops', async () => {
      expect(await commit(requireC('none'), transaction(put('k', '1')))).toEqual([0, 0]);
      expect(ledger.state.get('cc', 'none')).toBeUndefined();
      expect(await commit(requireC('k'))).toEqual([0]);
      expect(state('k')).toBe('1');
      expect(await commit(transaction(put('k', '2')), transaction(put('k', '3'), byC))).toEqual([10, 0]);
      expect(await commit(transaction(put('k', '4')), transaction(put('k', '5'), byC))).toEqual([10, 0]);
      expect(await commit(transaction((set) => set.addWrite('cc', 'k', null), byC))).toEqual([0]);
      expect(await commit(transaction(put('k', '6')))).toEqual([0]);
    });

    it('and refuses writes that meet a changed policy in the same block', async () => {
      await commit(transaction(put('k', '1')));
      expect(
        await commit(requireC('k'), transaction(put('k', '2')), transaction(put('k', '3'), byC)),
      ).toEqual([0, 10, 10]);
    });

    it("and asks for the chaincode's policy where another key has none", async () => {
      await commit(transaction(put('k', '1')));
      await commit(requireC('k'));
      const both = (set: ReadWriteSetBuilder): void => {
        put('k', '2')(set);
        put('free', '2')(set);
      };
      expect(await commit(transaction(both, byC), transaction(both))).toEqual([10, 10]);
      expect(await commit(transaction(both, { endorsers: [peers[0]!, peers[2]!] }))).toEqual([0]);
    });
  });

  describe('survives', () => {
    it('the loss of its state database, which the blocks rebuild', async () => {
      await commit(transaction(put('k', '1')), transaction(put('k', '2'), { endorsers: [] }));
      await commit(
        transaction(put('k', '3')),
        transaction((set) => set.addWrite('cc', 'gone', null)),
      );
      const { height } = ledger;
      await ledger.close();
      rmSync(join(dir, 'state'), { recursive: true });
      ledger = await open();
      expect(ledger.height).toBe(height);
      expect(state('k')).toBe('3');
      expect(ledger.definition('cc')).toMatchObject({ version: '1.0', sequence: 1 });
      const history = ledger.history('cc', 'k');
      expect([await history.next(), await history.next(), await history.next()]).toEqual([
        { block: 2, tx: 0 },
        { block: 1, tx: 0 },
        undefined,
      ]);
      await history.close();
      expect(await commit(transaction(put('k', '4')))).toEqual([0]);
    });

    it("a hole in its database's log, which LevelDB skips", async () => {
      const big = 'x'.repeat(40_000);
      for (const key of ['first', 'second', 'third']) await commit(transaction(put(key, big)));
      await ledger.close();
      const [name] = readdirSync(join(dir, 'state')).filter((file) => file.endsWith('.log'));
      const file = join(dir, 'state', name!);
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0, bytes.indexOf('xxxx'), bytes.indexOf('xxxx') + 100));
      log.length = 0;
      ledger = await open();
      expect(log).toEqual([
        expect.stringMatching(/^the changes of block \d are not in /),
        expect.stringMatching(/^builds the database in .* anew from the blocks$/),
      ]);
      expect(['first', 'second', 'third'].map(state)).toEqual([big, big, big]);
      expect(await commit(transaction(put('k', '1')))).toEqual([0]);
    });

    it('but says so when block files are gone or damaged', async () => {
      await commit(transaction(put('k', '1')));
      await ledger.close();
      const file = join(dir, 'blocks', 'blocks_000000');
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.subarray(0, bytes.length - 1));
      await expect(open()).rejects.toMatchObject({ code: 'STATE_AHEAD' });
      writeFileSync(file, bytes);
      ledger = await open();
      bytes[200] = (bytes[200] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      await expect(ledger.verify()).rejects.toMatchObject({ code: 'BLOCK_DAMAGED' });
      await expect(ledger.block(0)).rejects.toMatchObject({ code: 'BLOCK_DAMAGED' });
    });
  });

  it('tells the status of a transaction as soon as it is committed', async () => {
    const awaited = transaction(put('k', 'v'));
    const status = ledger.transactionStatus(awaited.txId, never);
    const given = new AbortController();
    const givenUp = ledger.transactionStatus('unknown', given.signal);
    given.abort();
    await commit(awaited);
    await expect(status).resolves.toEqual({ code: 0, block: 1 });
    await expect(givenUp).resolves.toBeUndefined();
    await expect(ledger.transactionStatus(awaited.txId, never)).resolves.toEqual({ code: 0, block: 1 });
  });
});

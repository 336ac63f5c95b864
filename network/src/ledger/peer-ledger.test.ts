import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { put, TestLedger } from '../../test/support/test-ledger.js';
import { type Signer } from '../msp/identity.js';
import { parseSignaturePolicy } from '../policy/parser.js';
import { encodeSignaturePolicy } from '../policy/signature-policy.js';
import { type TransactionEnvelope } from '../protos/transaction.js';
import { kvRead, RangeSummarizer } from './range-query.js';
import { type ReadWriteSetBuilder } from './read-write-set.js';

const never = new AbortController().signal;

describe("a peer's ledger", () => {
  const test = new TestLedger();
  const { transaction, commit, state } = test;
  beforeAll(() => test.prepare());
  beforeEach(() => test.begin());
  afterEach(() => test.end());

  describe('checks reads', () => {
    const read = (key: string, version: { block: number; tx: number } | undefined, into: string) =>
      transaction((set) => {
        set.addRead('cc', key, version);
        set.addWrite('cc', into, Buffer.from('read'));
      });

    it('against the versions in the state and earlier in the block', async () => {
      expect(await commit(transaction(put('k', '1')))).toEqual([0]);
      const version = test.ledger.state.get('cc', 'k')!.version;
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
      byC.endorsers = [test.peers[2]!];
    });

    it('as the policy of a key, which a new value keeps and a deletion drops', async () => {
      expect(await commit(requireC('none'), transaction(put('k', '1')))).toEqual([0, 0]);
      expect(test.ledger.state.get('cc', 'none')).toBeUndefined();
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
      expect(await commit(transaction(both, { endorsers: [test.peers[0]!, test.peers[2]!] }))).toEqual([0]);
    });
  });

  describe('survives', () => {
    it('the loss of its state database, which the blocks rebuild', async () => {
      await commit(transaction(put('k', '1')), transaction(put('k', '2'), { endorsers: [] }));
      await commit(
        transaction(put('k', '3')),
        transaction((set) => set.addWrite('cc', 'gone', null)),
      );
      const { height } = test.ledger;
      await test.ledger.close();
      rmSync(join(test.dir, 'state'), { recursive: true });
      await test.open();
      expect(test.ledger.height).toBe(height);
      expect(state('k')).toBe('3');
      expect(test.ledger.definition('cc')).toMatchObject({ version: '1.0', sequence: 1 });
      const history = test.ledger.history('cc', 'k');
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
      await test.ledger.close();
      const [name] = readdirSync(join(test.dir, 'state')).filter((file) => file.endsWith('.log'));
      const file = join(test.dir, 'state', name!);
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0, bytes.indexOf('xxxx'), bytes.indexOf('xxxx') + 100));
      test.log.length = 0;
      await test.open();
      expect(test.log).toEqual([
        expect.stringMatching(/^the changes of block \d are not in /),
        expect.stringMatching(/^builds the database in .* anew from the blocks$/),
      ]);
      expect(['first', 'second', 'third'].map(state)).toEqual([big, big, big]);
      expect(await commit(transaction(put('k', '1')))).toEqual([0]);
    });

    it('but says so when block files are gone or damaged', async () => {
      await commit(transaction(put('k', '1')));
      await test.ledger.close();
      const file = join(test.dir, 'blocks', 'blocks_000000');
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.subarray(0, bytes.length - 1));
      await expect(test.open()).rejects.toMatchObject({ code: 'STATE_AHEAD' });
      writeFileSync(file, bytes);
      await test.open();
      bytes[200] = (bytes[200] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      await expect(test.ledger.verify()).rejects.toMatchObject({ code: 'BLOCK_DAMAGED' });
      await expect(test.ledger.block(0)).rejects.toMatchObject({ code: 'BLOCK_DAMAGED' });
    });
  });

  it('tells the status of a transaction as soon as it is committed', async () => {
    const awaited = transaction(put('k', 'v'));
    const status = test.ledger.transactionStatus(awaited.txId, never);
    const given = new AbortController();
    const givenUp = test.ledger.transactionStatus('unknown', given.signal);
    given.abort();
    await commit(awaited);
    await expect(status).resolves.toEqual({ code: 0, block: 1 });
    await expect(givenUp).resolves.toBeUndefined();
    await expect(test.ledger.transactionStatus(awaited.txId, never)).resolves.toEqual({ code: 0, block: 1 });
  });
});

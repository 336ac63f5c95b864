import { PROVENANCE } from './support/foundation.js';
import './support/environment.js';
import {
  batchMerkleRoot,
  encodeHeader,
  decodeHeader,
  headerHash,
  minerId,
  parseCompact,
  type PowState,
  privateRecords,
  readContractError,
  type SealedBlock,
  type SealedItem,
  verifyChain,
} from '../src/index.js';
import { CHANNEL, powParameters, SealingChannel } from './support/mining.js';
import { MvccConflict } from './support/memoryLedger.js';

const { Sharing, Pending, Blocks, Scheme, Tip } = privateRecords.EndorsementContract;
let channel: SealingChannel;
let batch: SealedItem[];
beforeEach(async () => {
  channel = await SealingChannel.create();
  await channel.choose();
  batch = [await channel.enter(), await channel.enter()];
});

test('a sealed batch is confirmed, the mempool empty, the chain one longer', async () => {
  const block = await channel.seal(await channel.work(batch), batch);
  expect(block).toMatchObject({ height: 1, batch, sealedBy: 'Hospital1MSP' });
  for (const { kind, id } of batch)
    expect(await channel.read(Sharing, { kind, id })).toMatchObject({
      state: 'CONFIRMED',
      height: 1,
      confirmations: 1,
      usable: true,
    });
  expect((await channel.read(Pending, {})).items).toEqual([]);
  expect(await channel.read(Tip, {})).toMatchObject({ height: 1, hash: block.hash });
});

test('the stated depth is asked for: empty blocks add it', async () => {
  const deep = await SealingChannel.create();
  await deep.choose(powParameters, 3);
  const item = await deep.enter();
  const entry = { kind: item.kind, id: item.id };
  await deep.seal(await deep.work([item]), [item]);
  const states: boolean[] = [];
  for (let height = 2; height <= 3; height++) {
    states.push((await deep.read(Sharing, entry)).usable);
    await deep.seal(await deep.work([]), []);
  }
  states.push((await deep.read(Sharing, entry)).usable);
  expect(states).toEqual([false, false, true]);
});

test('without a choice nothing is pending, and the scheme is none', async () => {
  const plain = await SealingChannel.create();
  expect(await plain.read(Scheme, {})).toEqual({ scheme: 'none' });
  await expect(plain.enter()).rejects.toThrow('ILLEGAL_STATE');
  expect([...plain.ledger.state(CHANNEL).keys()].filter((key) => key.includes('sharing'))).toEqual([]);
});

test('the scheme is chosen once, with parameters that the scheme accepts', async () => {
  await expect(channel.choose()).rejects.toThrow('ALREADY_EXISTS');
  const other = await SealingChannel.create();
  await expect(other.choose({ ...powParameters, windowBlocks: 1 })).rejects.toThrow('BAD_REQUEST');
});

describe('attacks', () => {
  /** The code of the refusal; the tip is where it was. */
  const refusal = async (proof: Uint8Array, items = batch, by = 0): Promise<string | undefined> => {
    const before = await channel.tip();
    const error: unknown = await channel.seal(proof, items, by).catch((reason: unknown) => reason);
    expect(await channel.tip()).toEqual(before);
    return error instanceof Error ? readContractError(error.message)?.code : undefined;
  };

  test('forged work: a header whose hash is not below the target', async () => {
    const header = decodeHeader(await channel.work(batch))!;
    for (let nonce = 0n; ; nonce++) {
      const bytes = encodeHeader({ ...header, nonce });
      // The first nibble of work below 2^252 is zero.
      if (headerHash(bytes).startsWith('0')) continue;
      expect(await refusal(bytes)).toBe('BAD_SEAL');
      break;
    }
  });

  test('work for another batch', async () => {
    expect(await refusal(await channel.work(batch.slice(0, 1)))).toBe('BAD_SEAL');
    expect(await refusal(await channel.work([...batch].reverse()))).toBe('BAD_SEAL');
  });

  test('an entry that its leaf is there for is left out', async () => {
    expect(await refusal(await channel.work(batch), batch.slice(1))).toBe('BAD_SEAL');
  });

  test('an entry sealed twice: in one block, and in two', async () => {
    const [first] = batch as [SealedItem];
    expect(await refusal(await channel.work([first, first]), [first, first])).toBe('NOT_PENDING');
    await channel.seal(await channel.work([first]), [first]);
    await expect(channel.seal(await channel.work([first]), [first])).rejects.toThrow('NOT_PENDING');
  });

  test('an entry that is not there, or is there with another digest', async () => {
    const [first] = batch as [SealedItem];
    for (const item of [
      { ...first, id: 'Hospital1MSP/ist/none' },
      { ...first, digest: 'f'.repeat(64) },
    ])
      expect(await refusal(await channel.work([item]), [item])).toBe('NOT_PENDING');
  });

  test('a replayed header', async () => {
    const proof = await channel.work([]);
    await channel.seal(proof, []);
    expect(await refusal(proof, [])).toBe('STALE_TIP');
  });

  test('a header for another channel: its genesis is another', async () => {
    const proof = await channel.work([], { previous: minerId('another genesis') });
    expect(await refusal(proof, [])).toBe('STALE_TIP');
  });

  test('work that another institution did', async () => {
    expect(await refusal(await channel.work(batch), batch, 1)).toBe('BAD_SEAL');
  });

  test('a stale tip, and a height that skips one', async () => {
    const late = await channel.work(batch);
    expect(await refusal(await channel.work(batch, { height: 2 }))).toBe('STALE_TIP');
    await channel.seal(await channel.work([]), []);
    await expect(channel.seal(late, batch)).rejects.toThrow('STALE_TIP');
  });

  test('two winners on one tip: the ledger commits one', async () => {
    const first = await channel.simulateSeal(await channel.work(batch), batch);
    const second = await channel.simulateSeal(await channel.work(batch, {}, 1), batch, 1);
    channel.ledger.commit(second);
    expect(() => channel.ledger.commit(first)).toThrow(MvccConflict);
    expect((await channel.read(Blocks, {})).items.map(({ sealedBy }) => sealedBy)).toEqual(['Hospital2MSP']);
  });

  test('timestamps: not above the median, or too far ahead', async () => {
    const { times } = (await channel.tip()).state as PowState;
    expect(await refusal(await channel.work([], { timestamp: times[0]! }), [])).toBe('BAD_SEAL');
    const ahead = channel.ledger.now + 1000 + powParameters.futureMs;
    expect(await refusal(await channel.work([], { timestamp: ahead + 1 }), [])).toBe('BAD_SEAL');
    await expect(
      channel.seal(await channel.work([], { timestamp: channel.ledger.now + 1000 }), []),
    ).resolves.toMatchObject({ height: 1 });
  });

  test('a target easier than the chain asks for, easier than the floor of work, or no target at all', async () => {
    for (const target of ['20200000', '207fffff', '2100ffff'].map(parseCompact))
      expect(await refusal(await channel.work([], { target }), [])).toBe('BAD_SEAL');
    const harder = await channel.work([], { target: parseCompact('1f7fffff') });
    expect(await refusal(harder, [])).toBe('BAD_SEAL');
  });

  test('bytes that are no header', async () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(124), new Uint8Array(123), new Uint8Array(125)])
      expect(await refusal(bytes, [])).toBe('BAD_SEAL');
    await expect(channel.seal(new Uint8Array(5000), [])).rejects.toThrow('BAD_REQUEST');
  });

  test('a flood of headers reads no entry: forged ones are refused before the batch is looked at', async () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ ...batch[0]!, id: `Hospital1MSP/ist/none-${i}` }));
    const reads = channel.ledger.reads;
    expect(await refusal(await channel.work(batch), many)).toBe('BAD_SEAL');
    // The scheme and the tip, and the tip again for this test's own look.
    expect(channel.ledger.reads - reads).toBeLessThan(10);
  });
});

test('anyone replays the chain from its genesis, and an altered block is found', async () => {
  await channel.seal(await channel.work(batch), batch);
  // Beyond the first adjustment of the target.
  for (let i = 0; i < 9; i++) await channel.seal(await channel.work([], {}, i % 2), [], i % 2);
  const { chosen } = await channel.read(Scheme, {});
  const { items } = await channel.read(Blocks, {});
  expect(await verifyChain(chosen!, items)).toEqual(await channel.tip());
  const targets = new Set(items.map(({ proof }) => decodeHeader(Buffer.from(proof, 'base64'))!.target));
  expect(targets.size).toBeGreaterThan(1);

  const altered = (index: number, change: Partial<SealedBlock>): SealedBlock[] =>
    items.map((block, i) => (i === index ? { ...block, ...change } : block));
  for (const blocks of [
    altered(0, { batch: batch.slice(1) }),
    altered(3, { sealedBy: 'Hospital9MSP' }),
    altered(4, { proof: items[5]!.proof }),
    altered(9, { hash: '0'.repeat(64) }),
    items.slice(1),
    [...items.slice(0, 4), ...items.slice(5)],
  ])
    await expect(verifyChain(chosen!, blocks)).rejects.toThrow(/BAD_SEAL|STALE_TIP/);
  await expect(verifyChain({ ...chosen!, depth: 2 }, items)).rejects.toThrow('STALE_TIP');
});

test('what enters while a block is sealed does not contend with it', async () => {
  const sealing = await channel.simulateSeal(await channel.work(batch), batch);
  const columns = { _row: 'a'.repeat(64) };
  const entering = await channel.ledger.simulate(
    privateRecords.RecordsContract.SubmitBatch,
    {
      batchId: 'meanwhile',
      datasetId: 'ist',
      epochId: 'epoch-1',
      manifestHash: '0'.repeat(64),
      merkleRoot: batchMerkleRoot(columns),
      rows: 1,
      provenance: PROVENANCE,
      columns,
    },
    { identity: channel.agents[0]! },
    CHANNEL,
  );
  channel.ledger.commit(sealing);
  channel.ledger.commit(entering);
  expect((await channel.read(Pending, {})).items).toMatchObject([{ id: 'Hospital1MSP/ist/meanwhile' }]);
});

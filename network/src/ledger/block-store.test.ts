import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Block, newBlock } from '../protos/block.js';
import { BlockStore } from './block-store.js';

describe('the block store', () => {
  let dir: string;
  const file = (): string => join(dir, 'blocks_000000');
  const stores: BlockStore[] = [];

  async function open(): Promise<BlockStore> {
    const store = await BlockStore.open(dir);
    stores.push(store);
    return store;
  }

  async function grow(store: BlockStore, count: number): Promise<Block[]> {
    const blocks: Block[] = [];
    for (let index = 0; index < count; index++) {
      const data = [Buffer.from(`transaction ${store.height}`), Buffer.alloc(100, store.height)];
      const block = newBlock(store.height, store.lastHash, data);
      await store.append(block);
      blocks.push(block);
    }
    return blocks;
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'blocks-'));
  });

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    rmSync(dir, { recursive: true, force: true });
  });

  it('reads back what it wrote, before and after it is opened again', async () => {
    const store = await open();
    const blocks = await grow(store, 5);
    await store.close();
    const again = await open();
    expect(again.height).toBe(5);
    expect(again.lastHash).toEqual(store.lastHash);
    const read = await again.read(3);
    expect(read.header.number).toBe(3);
    expect(read.data.map((bytes) => Buffer.from(bytes).toString())).toEqual(
      blocks[3]!.data.map((bytes) => Buffer.from(bytes).toString()),
    );
    await again.verify();
    await grow(again, 1);
    await again.verify();
  });

  it('tells of a block only when the disk has it', async () => {
    const store = await open();
    const probe = await openFile(join(dir, 'probe'), 'w');
    const files = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    let reached: () => void = () => undefined;
    const syncing = new Promise<void>((resolve) => (reached = resolve));
    let finish: () => void = () => undefined;
    const synced = new Promise<void>((resolve) => (finish = resolve));
    const sync = jest.spyOn(files, 'datasync').mockImplementation(() => {
      reached();
      return synced;
    });
    try {
      let told = false;
      const appended = grow(store, 1).then(() => (told = true));
      await syncing;
      expect([told, store.height]).toEqual([false, 0]);
      expect(statSync(file()).size).toBeGreaterThan(0);
      finish();
      await appended;
      expect(store.height).toBe(1);
    } finally {
      sync.mockRestore();
    }
  });

  it('refuses a block that does not follow', async () => {
    const store = await open();
    await grow(store, 2);
    await expect(store.append(newBlock(3, store.lastHash, []))).rejects.toThrow(
      'block number should have been 2 but was 3',
    );
    await expect(store.append(newBlock(2, Buffer.alloc(32), []))).rejects.toThrow(
      'unexpected Previous block hash',
    );
    await expect(store.read(2)).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
  });

  it('cuts off whatever a crash left of the last write', async () => {
    const store = await open();
    await grow(store, 3);
    await store.close();
    const whole = statSync(file()).size;
    await grow(await open(), 1);
    await Promise.all(stores.splice(0).map((opened) => opened.close()));
    const withFourth = readFileSync(file());
    for (const length of [whole + 1, whole + 12, whole + 50, withFourth.length - 1]) {
      writeFileSync(file(), withFourth.subarray(0, length));
      const recovered = await open();
      expect(recovered.height).toBe(3);
      await recovered.verify();
      await grow(recovered, 1);
      await recovered.close();
    }
    const torn = Buffer.from(withFourth);
    torn[torn.length - 1] = (torn[torn.length - 1] ?? 0) ^ 1;
    writeFileSync(file(), torn);
    expect((await open()).height).toBe(3);
  });

  it('reports a damaged block and serves the others', async () => {
    const store = await open();
    await grow(store, 4);
    await store.close();
    const bytes = readFileSync(file());
    const position = bytes.indexOf('transaction 1');
    bytes[position] = 0x54;
    writeFileSync(file(), bytes);
    const damaged = await open();
    await expect(damaged.read(1)).rejects.toMatchObject({ code: 'BLOCK_DAMAGED' });
    await expect(damaged.verify()).rejects.toThrow(`Block 1 in ${file()} is damaged: its checksum is wrong.`);
    await expect(damaged.read(2)).resolves.toMatchObject({ header: { number: 2 } });
  });

  it('reports damage that has the right checksum by the hashes', async () => {
    const store = await open();
    const [first] = await grow(store, 1);
    const forged = { ...newBlock(1, store.lastHash, [Buffer.from('x')]), data: [Buffer.from('y')] };
    await store.append(forged);
    await store.close();
    const again = await open().catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'BLOCK_DAMAGED' });
    expect(first!.header.number).toBe(0);
  });

  it('takes a file of zeros for an unfinished write', async () => {
    writeFileSync(file(), '');
    expect((await open()).height).toBe(0);
    await grow(stores[0]!, 1);
    await stores[0]!.close();
    for (const zeros of [3, 12, 500]) {
      appendFileSync(file(), Buffer.alloc(zeros));
      const store = await open();
      expect(store.height).toBe(1);
      await store.close();
    }
  });

  it('does not take a damaged length for an unfinished write', async () => {
    const store = await open();
    await grow(store, 3);
    await store.close();
    const bytes = readFileSync(file());
    bytes[0] = 0x7f;
    writeFileSync(file(), bytes);
    await expect(open()).rejects.toThrow(`Block 0 in ${file()} is damaged: its length is wrong.`);
    expect(statSync(file()).size).toBe(bytes.length);
  });
});

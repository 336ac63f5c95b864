import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileBlobStore } from './file-blob-store.js';
import { nodeFileSystem, type FileSystem } from './file-system.js';

let folder: string;
let store: FileBlobStore;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'strokeshare-store-')), 'external');
  store = await FileBlobStore.open(folder);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function namesIn(opened: FileBlobStore): Promise<string[]> {
  const names = [];
  for await (const name of opened.hashes()) names.push(name);
  return names;
}
const fileOf = (hash: string): string => join(folder, hash.slice(0, 2), hash);

test('names a blob by the SHA-256 of its bytes and gives the same bytes back', async () => {
  const bytes = randomBytes(100_000);
  const hash = await store.put(bytes);
  expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(Buffer.from(await store.get(hash)).equals(bytes)).toBe(true);
  expect(await store.has(hash)).toBe(true);
  expect((await stat(fileOf(hash))).size).toBe(bytes.length);
});

test('keeps empty blobs and survives reopening', async () => {
  const hash = await store.put(new Uint8Array(0));
  const again = await FileBlobStore.open(folder);
  expect((await again.get(hash)).length).toBe(0);
});

test('a store of an earlier version is refused and not taken for an empty one, until its blobs are moved up as the guide says', async () => {
  const deeper = async (hash: string): Promise<void> => {
    const path = join(folder, hash.slice(0, 2), hash.slice(2, 4));
    await mkdir(path);
    await rename(fileOf(hash), join(path, hash));
  };
  const texts = ['a', 'b', 'c'];
  const [first, ...others] = await Promise.all(texts.map((text) => store.put(Buffer.from(text))));
  const outdated = { code: 'STORE_OUTDATED', message: expect.stringContaining(folder) };
  // Written by both versions.
  await deeper(first!);
  await expect(namesIn(store)).rejects.toMatchObject(outdated);
  for (const hash of others) await deeper(hash);
  await expect(FileBlobStore.open(folder)).rejects.toMatchObject(outdated);

  const guide = await readFile(join(__dirname, '../../docs/hospitals.md'), 'utf8');
  const commands = guide.match(/^find STORE .*$/gm)!.map((line) => line.replace('STORE', '"$0"'));
  execFileSync('sh', ['-c', commands.join('\n'), folder]);
  const moved = await FileBlobStore.open(folder);
  expect(await namesIn(moved)).toHaveLength(texts.length);
  for (const [index, hash] of [first!, ...others].entries())
    expect(Buffer.from(await moved.get(hash)).toString()).toBe(texts[index]);
});

test('lets nobody but the owner in', async () => {
  const hash = await store.put(randomBytes(10));
  expect((await stat(folder)).mode & 0o077).toBe(0);
  expect((await stat(fileOf(hash))).mode & 0o077).toBe(0);
});

test('putting the same bytes twice, also at the same time, leaves one file and no temporary ones', async () => {
  const bytes = randomBytes(1000);
  const hashes = await Promise.all(Array.from({ length: 8 }, () => store.put(bytes)));
  expect(new Set(hashes).size).toBe(1);
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
});

test('says NOT_FOUND for an absent blob and HASH_INVALID for a name that is none', async () => {
  const absent = '0'.repeat(64);
  expect(await store.has(absent)).toBe(false);
  await expect(store.get(absent)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  for (const name of ['../../../etc/passwd', absent.slice(1), absent.replace('0', 'A'), '']) {
    await expect(store.get(name)).rejects.toMatchObject({ code: 'HASH_INVALID' });
    await expect(store.has(name)).rejects.toMatchObject({ code: 'HASH_INVALID' });
  }
});

test('finds every flipped bit and every cut, and heals when the bytes are put again', async () => {
  const bytes = randomBytes(257);
  const hash = await store.put(bytes);
  for (const position of [0, 128, 256]) {
    const altered = Buffer.from(bytes);
    altered[position] = (altered[position] ?? 0) ^ (1 << (position % 8));
    await writeFile(fileOf(hash), altered);
    await expect(store.get(hash)).rejects.toMatchObject({ code: 'CORRUPT' });
    await store.put(bytes);
    expect(Buffer.from(await store.get(hash)).equals(bytes)).toBe(true);
  }
  for (const length of [0, 1, 256, 258]) {
    await truncate(fileOf(hash), length);
    await expect(store.get(hash)).rejects.toMatchObject({ code: 'CORRUPT' });
    await store.put(bytes);
  }
});

/** The real file system, except that one call fails. */
function failing(call: keyof FileSystem, code: string): FileSystem {
  return {
    ...nodeFileSystem,
    [call]: async () => {
      throw Object.assign(new Error(code), { code });
    },
  };
}

test.each([
  ['writeDurably', 'ENOSPC', 'NO_SPACE'],
  ['writeDurably', 'EDQUOT', 'NO_SPACE'],
  ['rename', 'EIO', 'IO'],
  ['syncFolder', 'EIO', 'IO'],
] as const)('%s failing with %s is %s and leaves no part of a blob', async (call, code, expected) => {
  const broken = await FileBlobStore.open(folder, failing(call, code));
  const bytes = randomBytes(100);
  const hash = createHash('sha256').update(bytes).digest('hex');
  await expect(broken.put(bytes)).rejects.toMatchObject({ code: expected });
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  // Nothing was acknowledged; what is there is either nothing or the whole blob.
  const found = await readFile(fileOf(hash)).catch(() => undefined);
  expect(found === undefined || found.equals(bytes)).toBe(true);
  expect(await store.put(bytes)).toBe(hash);
});

test('a new folder is forced into the one above it, again where that failed, and the own one for every blob', async () => {
  const forced: string[] = [];
  let fails = true;
  const counting = await FileBlobStore.open(folder, {
    ...nodeFileSystem,
    async syncFolder(path) {
      forced.push(path);
      if (path === folder && fails) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      await nodeFileSystem.syncFolder(path);
    },
  });
  const bytes = randomBytes(10);
  await expect(counting.put(bytes)).rejects.toMatchObject({ code: 'IO' });
  fails = false;
  const hash = await counting.put(bytes);
  const own = join(folder, hash.slice(0, 2));
  expect(forced).toEqual([own, folder, own, folder]);
  await counting.put(bytes);
  expect(forced.slice(4)).toEqual([own]);
});

test('a half-written temporary file of a crash is not taken for a blob', async () => {
  const bytes = randomBytes(100);
  const hash = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(folder, 'incoming', 'left-behind'), bytes.subarray(0, 50));
  expect(await store.has(hash)).toBe(false);
  await store.put(bytes);
  expect(Buffer.from(await store.get(hash)).equals(bytes)).toBe(true);
});

test('a folder that cannot be read is IO, not NOT_FOUND', async () => {
  const unreadable = await FileBlobStore.open(folder, failing('readFile', 'EACCES'));
  await chmod(folder, 0o700);
  await expect(unreadable.get('0'.repeat(64))).rejects.toMatchObject({ code: 'IO' });
});

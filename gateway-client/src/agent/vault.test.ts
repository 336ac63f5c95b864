import { mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Vault } from './vault.js';

let root: string;
const open = () => Vault.open(join(root, 'vault'), join(root, 'vault.key'));
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'strokeshare-vault-'));
});
afterEach(() => rm(root, { recursive: true }));

test('gives a secret back after reopening, and nothing of it is readable on the disk', async () => {
  const vault = await open();
  await vault.writeJson('records', { name: 'not to be seen' });
  expect(await (await open()).readJson('records')).toEqual({ name: 'not to be seen' });
  expect(await vault.read('another')).toBeUndefined();
  for (const file of await readdir(join(root, 'vault'))) {
    expect((await readFile(join(root, 'vault', file))).includes('not to be seen')).toBe(false);
    expect((await stat(join(root, 'vault', file))).mode & 0o077).toBe(0);
  }
  expect((await stat(join(root, 'vault.key'))).mode & 0o077).toBe(0);
  expect((await stat(join(root, 'vault'))).mode & 0o077).toBe(0);
});

test('refuses an entry that was altered, exchanged, or belongs to another key', async () => {
  const vault = await open();
  await vault.write('a', Buffer.from('first'));
  const file = join(root, 'vault', 'a');
  const sealed = await readFile(file);
  sealed[15]! ^= 1;
  await writeFile(file, sealed);
  await expect(vault.read('a')).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });

  await vault.write('a', Buffer.from('first'));
  await rename(file, join(root, 'vault', 'b'));
  await expect(vault.read('b')).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });

  await vault.write('a', Buffer.from('first'));
  await writeFile(join(root, 'vault.key'), Buffer.alloc(32, 7));
  await expect((await open()).read('a')).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  await writeFile(join(root, 'vault.key'), Buffer.alloc(31, 7));
  await expect(open()).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
});

test('a name cannot lead out of the folder', async () => {
  const vault = await open();
  await expect(vault.write('../outside', Buffer.of(1))).rejects.toThrow(TypeError);
});

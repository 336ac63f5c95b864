import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readCheckedFile } from './checked-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('reads a plain file and a packed one, and tells an altered one by its hash', async () => {
  const plain = Buffer.from('a,b\r\n1,2\r\n');
  const packed = gzipSync(plain);
  const path = join(folder, 'data');
  await writeFile(path, plain);
  expect(Buffer.from(await readCheckedFile(path, [sha256(plain)]))).toEqual(plain);
  await writeFile(path, packed);
  expect(Buffer.from(await readCheckedFile(path, [sha256(plain), sha256(packed)]))).toEqual(plain);

  const altered = Buffer.from(packed);
  altered[altered.length - 1]! ^= 1;
  await writeFile(path, altered);
  await expect(readCheckedFile(path, [sha256(packed)])).rejects.toMatchObject({
    code: 'FILE_ALTERED',
    message: expect.stringContaining(sha256(altered)),
  });
  await expect(readCheckedFile(join(folder, 'none'), [])).rejects.toMatchObject({ code: 'FILE_MISSING' });
});

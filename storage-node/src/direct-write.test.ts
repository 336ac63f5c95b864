import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdtemp, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectWriter } from './direct-write.js';
import { nodeFileSystem } from './file-system.js';

const BUFFER = 17 * 2 ** 16;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'direct-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('large files of any length, many at once, hold what was written and nothing behind it', async () => {
  const sizes = [2 ** 18, 2 ** 18 + 1, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER + 217, 2 ** 20 + 217];
  const files = sizes
    .concat(sizes)
    .map((size, i) => ({ path: join(folder, `${i}`), bytes: randomBytes(size) }));
  await Promise.all(files.map(({ path, bytes }) => nodeFileSystem.writeDurably(path, bytes)));
  for (const { path, bytes } of files) {
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
});

test('a file that is there is not written over', async () => {
  const path = join(folder, 'there');
  const bytes = randomBytes(2 ** 18);
  await nodeFileSystem.writeDurably(path, bytes);
  await expect(nodeFileSystem.writeDurably(path, randomBytes(2 ** 18))).rejects.toMatchObject({
    code: 'EEXIST',
  });
  expect((await readFile(path)).equals(bytes)).toBe(true);
});

/** Opens files as a system does that refuses direct writes at some moment, or takes only part of one. */
function refusing(at: 'open' | 'write' | 'short' | 'full'): typeof open {
  return async (path, flags, mode) => {
    const file = await open(
      path,
      Number(flags) & ~Number((constants as { O_DIRECT?: number }).O_DIRECT ?? 0),
      mode,
    );
    const fails = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
    if (at === 'open') {
      await file.close();
      return fails('EINVAL')();
    }
    const write = {
      write: fails('EINVAL'),
      short: async () => ({ bytesWritten: 512 }),
      full: fails('ENOSPC'),
    }[at];
    return Object.assign(file, { write });
  };
}

test.each(['open', 'write', 'short'] as const)(
  'where the system does not write directly (%s) no file is left for the write that follows',
  async (at) => {
    const path = join(folder, 'file');
    expect(await new DirectWriter(refusing(at)).write(path, randomBytes(2 ** 18), 0o600)).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  },
);

test('a failure ends its own write, and those behind it go on', async () => {
  let fails = true;
  const writer = new DirectWriter((...how) => (fails ? refusing('full') : open)(...how));
  const all = Array.from({ length: 8 }, (_, i) =>
    writer.write(join(folder, `${i}`), randomBytes(2 ** 18), 0o600),
  );
  for (const end of await Promise.allSettled(all)) expect(end).toMatchObject({ reason: { code: 'ENOSPC' } });
  fails = false;
  const bytes = randomBytes(2 ** 18);
  const path = join(folder, 'next');
  const direct = await writer.write(path, bytes, 0o600);
  expect(direct ? await readFile(path) : bytes).toEqual(bytes);
});

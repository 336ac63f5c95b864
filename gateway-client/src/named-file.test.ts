import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readNamedFile, readShapedFile, unwritable } from './named-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'named-file-'));
  await writeFile(join(folder, 'broken'), '{"a": [');
  await writeFile(join(folder, 'other'), '{"b": 1}');
  await writeFile(join(folder, 'right'), '{"a": 1}');
});
afterAll(() => rm(folder, { recursive: true }));

const read = (name: string, form: 'JSON' | 'YAML' = 'JSON') =>
  readShapedFile(
    join(folder, name),
    { what: 'The file', code: 'PROFILE_INVALID', form },
    z.strictObject({ a: z.number() }),
  );

test.each([
  ['nowhere', /^The file \S+nowhere does not exist\.$/],
  ['right/below', /does not exist\.$/],
  ['', /is a folder, not a file\.$/],
  ['broken', /cannot be read as JSON\.$/],
  ['other', /cannot be used: a: /],
])('%j is refused with a sentence that says why', async (name, message) => {
  await expect(read(name)).rejects.toMatchObject({
    code: 'PROFILE_INVALID',
    message: expect.stringMatching(message),
  });
});

test.each([
  ['', 'is a folder'],
  ['nowhere/x', 'its folder does not exist'],
])('what cannot be written to %j is told with its reason', async (name, reason) => {
  const path = join(folder, name);
  const cause = await writeFile(path, '').then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(unwritable('The list', path, cause)).toMatchObject({
    code: 'FILE_UNWRITABLE',
    message: expect.stringContaining(`The list ${path} cannot be written: `),
  });
  expect(unwritable('The list', path, cause).message).toContain(reason);
});

test('what is there but not of the form may have a code of its own', async () => {
  const file = {
    what: 'The file',
    code: 'FILE_MISSING',
    malformed: 'FILE_UNREADABLE',
    form: 'JSON',
  } as const;
  for (const [name, code] of [
    ['nowhere', 'FILE_MISSING'],
    ['broken', 'FILE_UNREADABLE'],
  ] as const)
    await expect(readNamedFile(join(folder, name), file)).rejects.toMatchObject({ code });
});

test('broken YAML is told as such, and what is right is read', async () => {
  await expect(read('broken', 'YAML')).rejects.toThrow('cannot be read as YAML');
  await expect(read('right')).resolves.toEqual({ a: 1 });
});

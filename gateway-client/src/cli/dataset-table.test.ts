import { mkdtemp, rm, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parameterSet } from '@strokeshare/fhe';
import { institution } from '../../test/support/institution.js';
import { addTable, openLoad, wholeTable } from './dataset-table.js';

const { slots } = parameterSet('standard');
const PATIENTS = 2 * slots + 10;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-add-'));
  await writeFile(
    join(folder, 'schema.json'),
    JSON.stringify({
      name: 'ages',
      version: '1',
      variables: [{ name: 'AGE', kind: 'numeric', minimum: 0, maximum: 99 }],
    }),
  );
  await writeFile(join(folder, 'mapping.yaml'), 'fields: {}\n');
  await writeFile(
    join(folder, 'ages.yaml'),
    JSON.stringify({
      ...{ id: 'ages', title: 'Ages', epoch: 'epoch-1', minimumCohort: 5, conditions: ['DUO:0000042'] },
      ...{ schema: 'schema.json', mapping: 'mapping.yaml', patient: 'WHO' },
    }),
  );
});
afterEach(() => rm(folder, { recursive: true }));

const table = async (rows: string[]): Promise<string> => {
  const path = join(folder, 'table.csv');
  await writeFile(path, ['WHO,AGE', ...rows, ''].join('\n'));
  return path;
};
const patients = (count: number): string[] => Array.from({ length: count }, (_, i) => `p${i},${i % 100}`);

/** What the command does with a table, and what it shows of it. */
function command(path: string, choice = {}) {
  const shown = new PassThrough();
  const surroundings = {
    stream: shown as unknown as NodeJS.WriteStream,
    signal: new AbortController().signal,
  };
  return {
    open: () => openLoad(join(folder, 'ages.yaml'), path, choice, surroundings),
    add: async ({ context }: ReturnType<typeof institution>) =>
      addTable(
        context,
        await openLoad(join(folder, 'ages.yaml'), path, choice, surroundings),
        surroundings.stream,
      ),
    said: () => text(shown.end()),
  };
}

test('a table that was interrupted is added by the same command, from behind what was entered', async () => {
  const path = await table(patients(PATIENTS));
  const hospital = institution();
  hospital.failAt(3);
  await expect(command(path).add(hospital)).rejects.toThrow('the power fails');
  expect([hospital.registered, hospital.versions]).toEqual([['ages'], []]);
  hospital.failAt(Infinity);
  const again = command(path);
  await again.add(hospital);
  expect(hospital.encrypted()).toBe(4);
  expect([...hospital.batches.values()].map(({ rows }) => rows)).toEqual([slots, slots, 10]);
  expect(hospital.versions).toHaveLength(1);
  // How much, how fast, and how long it will take: of the check, and of the encryption.
  expect(await again.said()).toMatch(
    /checks .*16,394 rows, [\d,]+\/s, .* left[^]*encrypts .* patients, [\d,]+\/s, .* left/,
  );
});

test('nothing is entered of a table that has a row to be rejected at its end, unless such rows are skipped', async () => {
  const path = await table([...patients(slots), 'late,old', ',5']);
  const hospital = institution();
  await expect(command(path).add(hospital)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining(
      `(line ${slots + 2}: AGE is not a number; line ${slots + 3}: WHO names no patient)`,
    ),
  });
  expect(hospital.batches.size).toBe(0);
  const skipping = command(path, { skipRejected: true });
  await skipping.add(hospital);
  expect([...hospital.batches.values()].map(({ rows }) => rows)).toEqual([slots]);
  expect(await skipping.said()).toContain('2 rows of');
});

test('nobody is counted twice, however far apart the rows are', async () => {
  const path = await table([...patients(slots + 1), 'p7,50']);
  const hospital = institution();
  await expect(command(path).add(hospital)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining(`(line 9, ${slots + 3})`),
  });
  expect(hospital.batches.size).toBe(0);
});

test('a table that is changed between its check and its end is not published', async () => {
  const path = await table(patients(20));
  const { table: checked } = await command(path).open();
  expect(checked.patients).toBe(20);
  await appendFile(path, 'late,1\n');
  await expect(wholeTable(checked)).rejects.toMatchObject({ code: 'FILE_ALTERED' });
});

import { mkdtemp, readFile, rm, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem, type FileSystem } from '../file-system.js';
import { journalLine, parseLine } from './entry.js';
import { Journal } from './journal.js';
import { verifyJournal, type Anchor } from './verify.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-journal-'));
  path = join(folder, 'journal.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const blob = (digit: number): string => String(digit % 10).repeat(64);

/** A journal with ten accesses, anchored after its fifth and its last entry. */
async function written(): Promise<Anchor[]> {
  const journal = await Journal.open(path);
  const anchors: Anchor[] = [];
  const anchor = (): void => {
    const { sequence, hash } = journal.head;
    anchors.push({ sequence, head: hash, at: `2026-01-0${anchors.length + 1}T00:00:00Z` });
  };
  for (let i = 2; i <= 11; i++) {
    await journal.append({ event: 'allowed', mspId: 'Hospital2MSP', subject: 'CN=agent', blob: blob(i) });
    if (i === 5) anchor();
  }
  await journal.close();
  anchor();
  return anchors;
}
const lines = async (): Promise<string[]> => (await readFile(path, 'utf8')).split('\n').slice(0, -1);
const rewrite = (text: readonly string[]): Promise<void> =>
  writeFile(path, text.map((l) => `${l}\n`).join(''));

test('goes on where it ended, entry by entry, and proves itself up to its last anchor', async () => {
  const anchors = await written();
  const again = await Journal.open(path);
  expect(again.head.sequence).toBe(13);
  await again.close();
  const report = await verifyJournal(path, anchors);
  expect(report).toMatchObject({ entries: 14, findings: [], proven: anchors[1] });
});

test('entries that come at once are all on the disk, in one chain', async () => {
  const journal = await Journal.open(path);
  const heads = await Promise.all(
    Array.from({ length: 200 }, (_, i) => journal.append({ event: 'refused', detail: `${i}` })),
  );
  expect(heads.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 200 }, (_, i) => i + 2));
  await journal.close();
  expect(await verifyJournal(path, [])).toMatchObject({ entries: 202, findings: [] });
});

test('an altered entry is found, with the anchor up to which all is proven', async () => {
  const [first, last] = await written();
  const text = await lines();
  text[7] = text[7]!.replace('Hospital2MSP', 'Hospital3MSP');
  await rewrite(text);
  const report = await verifyJournal(path, [first!, last!]);
  expect(report.findings).toEqual([
    { kind: 'altered', what: 'entry 8', sentence: 'Entry 8 was altered.', since: first },
  ]);
  await expect(Journal.open(path)).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' });
});

test.each([
  ['one entry', 7, 1, /Entry 8 is missing/],
  ['several entries', 2, 3, /Entries 3 to 5 are missing/],
])('a journal without %s in the middle is found', async (_, from, many, sentence) => {
  const anchors = await written();
  const text = await lines();
  text.splice(from, many);
  await rewrite(text);
  const [finding] = (await verifyJournal(path, anchors)).findings;
  expect(finding).toMatchObject({ kind: 'missing', sentence: expect.stringMatching(sentence) });
});

test('a cut end is found by the last anchor', async () => {
  const [first, last] = await written();
  await rewrite((await lines()).slice(0, 9));
  const report = await verifyJournal(path, [first!, last!]);
  expect(report.findings).toMatchObject([{ kind: 'cut', what: 'entry 10', since: first }]);
});

test('a chain that was written anew, all hashes right, is found by the anchors alone', async () => {
  const anchors = await written();
  let previous = '0'.repeat(64);
  const forged = (await lines()).map((text) => {
    const { entry } = parseLine(text)!;
    const subject = entry.sequence === 3 ? { subject: 'CN=somebody else' } : {};
    const { line, hash } = journalLine({ ...entry, ...subject, previous });
    previous = hash;
    return line.trimEnd();
  });
  await rewrite(forged);
  expect((await verifyJournal(path, [])).findings).toEqual([]);
  const report = await verifyJournal(path, anchors);
  expect(report.findings[0]).toMatchObject({ kind: 'rewritten', what: 'entry 5' });
  expect(report.proven).toBeUndefined();
});

test('what a crash left of a last entry is dropped and noted', async () => {
  await written();
  await appendFile(path, 'abcdef {"sequ');
  const journal = await Journal.open(path);
  await journal.close();
  const report = await verifyJournal(path, []);
  expect(report.findings).toEqual([]);
  expect((await lines())[12]).toContain('dropped 13 bytes of an unfinished entry');
});

test('an entry that found no space is refused and leaves no half line', async () => {
  let full = false;
  const files: FileSystem = {
    ...nodeFileSystem,
    async openAppend(name) {
      const file = await nodeFileSystem.openAppend(name);
      return {
        get size() {
          return file.size;
        },
        async append(bytes) {
          if (!full) return file.append(bytes);
          await file.append(bytes.subarray(0, bytes.length >> 1));
          throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        },
        sync: () => file.sync(),
        truncate: (size) => file.truncate(size),
        close: () => file.close(),
      };
    },
  };
  const journal = await Journal.open(path, { files });
  full = true;
  await expect(journal.append({ event: 'allowed' })).rejects.toMatchObject({ code: 'NO_SPACE' });
  full = false;
  expect((await journal.append({ event: 'refused' })).sequence).toBe(2);
  await journal.close();
  expect(await verifyJournal(path, [])).toMatchObject({ entries: 3, findings: [] });
});

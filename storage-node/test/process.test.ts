/** What holds across processes: kills at random points, a full disk, other system users. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkBlob, FileBlobStore } from '../src/index.js';
import { Journal } from '../src/journal/journal.js';
import { LiveObjects, noteUnacknowledged, verifyObjects } from '../src/journal/objects.js';
import { verifyJournal } from '../src/journal/verify.js';

const DIST = join(__dirname, '..', 'dist');
const KILLS = 8;
const isRoot = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strokeshare-process-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Stores blobs and notes them for ever, and says each one that is acknowledged. */
const WRITER = `
const { randomBytes } = require('node:crypto');
const { FileBlobStore } = require(${JSON.stringify(join(DIST, 'file-blob-store.js'))});
const { Journal } = require(${JSON.stringify(join(DIST, 'journal', 'journal.js'))});
(async () => {
  const folder = process.argv[1];
  const store = await FileBlobStore.open(folder + '/blobs');
  const journal = await Journal.open(folder + '/journal.jsonl');
  const work = async () => {
    for (;;) {
      const blob = await store.put(randomBytes(1 + Math.floor(Math.random() * 200000)));
      await journal.append({ event: 'stored', blob });
      process.stdout.write(blob + '\\n');
    }
  };
  await Promise.all([work(), work(), work()]);
})().catch((error) => { process.stderr.write(String(error.code ?? error) + '\\n'); process.exit(3); });
`;

test('killed at random points, a store loses nothing that it acknowledged, and finds its journal whole', async () => {
  const seed = process.env['SEED'] ?? String(randomInt(2 ** 32));
  const acknowledged = new Set<string>();
  for (let kill = 0; kill < KILLS; kill++) {
    const after = 1 + (createHash('sha256').update(`${seed} ${kill}`).digest().readUInt32LE() % 59);
    const child = spawn(process.execPath, ['-e', WRITER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.length === 64) acknowledged.add(line);
      if (++seen === after) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect({ seed, after, signal: child.signalCode }).toEqual({ seed, after, signal: 'SIGKILL' });
  }
  const store = await FileBlobStore.open(join(folder, 'blobs'));
  for (const hash of acknowledged) expect([hash, await checkBlob(store, hash)]).toEqual([hash, 'intact']);
  const live = new LiveObjects();
  const journal = await Journal.open(join(folder, 'journal.jsonl'), { visit: live.visit });
  for (const hash of acknowledged) expect(live.since.has(hash)).toBe(true);
  await noteUnacknowledged(store, live, async (blob) => {
    const { sequence } = await journal.append({ event: 'stored', blob, detail: 'found' });
    live.visit({ event: 'stored', blob, sequence, at: '' });
  });
  await journal.close();
  expect((await verifyObjects(store, live)).findings).toEqual([]);
  expect((await verifyJournal(join(folder, 'journal.jsonl'), [])).findings).toEqual([]);
});

const mount = (at: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', at]).status === 0;
const unmount = (at: string) => spawnSync('umount', [at]);

/** Whether this process may mount at all. */
function mayMount(): boolean {
  const at = mkdtempSync(join(tmpdir(), 'strokeshare-mount-'));
  const may = isRoot && mount(at);
  if (may) unmount(at);
  rmdirSync(at);
  return may;
}
const describeMounted = mayMount() ? describe : describe.skip;
const describeAsRoot = isRoot ? describe : describe.skip;

describeMounted('where this process may mount a file system (root)', () => {
  test('on a real file system that is full, what was acknowledged stays, and the error says so', async () => {
    expect(mount(folder)).toBe(true);
    try {
      const store = await FileBlobStore.open(join(folder, 'blobs'));
      const journal = await Journal.open(join(folder, 'journal.jsonl'));
      const kept: string[] = [];
      const failed: string[] = [];
      for (let i = 0; i < 40; i++) {
        try {
          kept.push(await store.put(randomBytes(100_000)));
          await journal.append({ event: 'stored', blob: kept.at(-1) ?? '' });
        } catch (error) {
          failed.push((error as { code: string }).code);
        }
      }
      expect(kept.length).toBeGreaterThan(5);
      expect(new Set(failed)).toEqual(new Set(['NO_SPACE']));
      for (const hash of kept) expect(await checkBlob(store, hash)).toBe('intact');
      expect((await verifyJournal(join(folder, 'journal.jsonl'), [])).findings).toEqual([]);
      await store.remove(kept[0] ?? '');
      expect(await store.put(randomBytes(50_000))).toHaveLength(64);
      await journal.close();
    } finally {
      unmount(folder);
    }
  });
});

describeAsRoot('where this process may become another user (root)', () => {
  test('a process that became another system user reads nothing of the internal zone', () => {
    chmodSync(folder, 0o755);
    const internal = join(folder, 'internal');
    mkdirSync(internal, { mode: 0o700 });
    writeFileSync(join(internal, 'keys.json'), 'secret', { mode: 0o600 });
    const script = `
    require(${JSON.stringify(join(DIST, 'users.js'))}).becomeUser('65534');
    const fs = require('node:fs');
    const tries = [
      () => fs.readFileSync(${JSON.stringify(join(internal, 'keys.json'))}),
      () => fs.readdirSync(${JSON.stringify(internal)}),
      () => process.setuid(0),
    ];
    console.log(process.getuid(), tries.map((one) => { try { one(); return 'done'; } catch (error) { return error.code; } }).join(' '));
  `;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stdout.trim()).toBe('65534 EACCES EACCES EPERM');
  });
});

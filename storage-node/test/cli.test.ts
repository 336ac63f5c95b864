/** The storage node's own command, as an operator types it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KeyRing } from '../src/index.js';
import { Originals } from '../src/internal/originals.js';
import { subjectOf, type Institution } from './support/institutions.js';
import { Place } from './support/zones.js';

const BIN = join(__dirname, '..', 'bin', 'strokeshare-storage.js');
const idOf = (flag: '-u' | '-g'): number | undefined => {
  const { status, stdout } = spawnSync('id', [flag, 'daemon'], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
};
/** A system user that every system has; by its number where this one names it otherwise. */
const uid = idOf('-u') ?? 65_534;
const gid = idOf('-g') ?? uid;
const USER = idOf('-u') === undefined ? String(uid) : 'daemon';
/** Whether this process may become that user, and that user then reaches the folders of tests. */
const mayBecome =
  spawnSync(process.execPath, [
    '-e',
    `process.setgroups([]); process.setgid(${gid}); process.setuid(${uid});
     require('node:fs').accessSync(${JSON.stringify(tmpdir())}, 1)`,
  ]).status === 0;

let place: Place;
let owner: Institution;
beforeEach(async () => {
  place = await Place.create(1);
  owner = place.at(0);
});
afterEach(() => place[Symbol.asyncDispose]());

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout.trim(), err: stderr.trim() };
};
/** Writes `zone.json`; the ledger is asked only when somebody reads. */
function configure(zone: 'internal' | 'external', own: object): string {
  const at = (name: string): string => owner.path(name);
  const any = { host: '127.0.0.1', port: 0 };
  const folder = at(zone);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const identity = { certPath: at('agent/cert.pem'), keyPath: at('agent/key.pem') };
  const ledger = { peerEndpoint: 'localhost:1', peerHostAlias: 'peer', tlsCaCertPath: at('tls/ca.pem') };
  const config = {
    ...{ zone, mspId: owner.mspId, listen: any },
    tls: { certificate: at('tls/cert.pem'), key: at('tls/key.pem') },
    ledger: { mspId: owner.mspId, ...ledger, ...identity },
    ...own,
  };
  writeFileSync(join(folder, 'zone.json'), JSON.stringify(config));
  return folder;
}
const external = (): string =>
  configure('external', {
    publish: { host: '127.0.0.1', port: 0 },
    members: { [owner.mspId]: owner.msp },
    publishers: [{ mspId: owner.mspId, subject: subjectOf(owner.agent.certificate) }],
  });
const internal = (keys: object): string =>
  configure('internal', {
    msp: owner.msp,
    identity: { certificate: owner.path('agent/cert.pem'), key: owner.path('agent/key.pem') },
    publish: place.inner(0, 1),
    recordsChannel: 'records',
    keys,
  });
/** Gives a folder and everything below it to the system user. */
function giveAway(path: string): void {
  chownSync(path, uid, gid);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) giveAway(join(path, name));
}

test('rotate wraps every data key under a fresh key, and touches no object', async () => {
  const keyFile = owner.path('keys.json');
  const folder = internal({ file: keyFile });
  const before = await KeyRing.file(keyFile);
  const originals = await Originals.open(join(folder, 'originals'), before);
  const records = ['first', 'second', 'third'];
  for (const name of records) await originals.put(name, Buffer.from(name), new Date());
  const objects = originals.list().map(({ object }) => object);

  const as = mayBecome ? ['--user', USER] : [];
  if (mayBecome) giveAway(place.root);
  const { code, out, err } = run('rotate', folder, ...as);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^\S+ is the current key; 3 data keys were wrapped anew\.$/);
  // The zone's user can read what was written.
  expect(statSync(keyFile)).toMatchObject({ uid: mayBecome ? uid : process.getuid?.(), mode: 0o100600 });

  // The old key may be thrown away.
  const ring = JSON.parse(readFileSync(keyFile, 'utf8')) as { current: string; keys: Record<string, string> };
  expect(ring.current).not.toBe(before.current);
  const fresh = { current: ring.current, keys: { [ring.current]: ring.keys[ring.current] } };
  const after = await Originals.open(
    join(folder, 'originals'),
    KeyRing.parse(JSON.stringify(fresh), 'the ring'),
  );
  expect(after.list().map(({ object }) => object)).toEqual(objects);
  for (const name of records) expect(Buffer.from(await after.get(name)).toString()).toBe(name);
});

test('backup copies what is new, restore gives it back, and what never was a zone is refused', async () => {
  const keyFile = owner.path('keys.json');
  const folder = internal({ file: keyFile });
  const keys = await KeyRing.file(keyFile);
  const originals = await Originals.open(join(folder, 'originals'), keys);
  await originals.put('first', Buffer.from('first'), new Date());
  const copy = owner.path('copy');
  expect(run('backup', folder, copy)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/ is not the folder of an internal zone\. \(CONFIG_INVALID\)$/),
  });
  writeFileSync(join(folder, 'journal.jsonl'), '', { mode: 0o600 });
  expect(run('backup', folder, copy)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^1 objects were copied, 0/),
  });
  await originals.put('second', Buffer.from('second'), new Date());
  expect(run('backup', folder, copy)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^1 objects were copied, 1/),
  });
  const again = owner.path('again');
  expect(run('restore', copy, again)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^2 objects were copied, 0/),
  });
  const restored = await Originals.open(join(again, 'originals'), keys);
  expect(Buffer.from(await restored.get('second')).toString()).toBe('second');
});

test('keys that are kept elsewhere are not rotated here', () => {
  expect(run('rotate', internal({ environment: 'KEYS' }))).toEqual({
    code: 1,
    out: '',
    err: 'Only a ring in a file is rotated here; ask the other keeper. (KEY_INVALID)',
  });
});

test('a zone does not start as a user that there is not, nor from a folder that there is not', () => {
  const nobody = run('external', external(), '--user', 'nobody-of-that-name');
  expect(nobody).toMatchObject({
    code: 1,
    err: expect.stringMatching(/cannot become the user .* \(CONFIG_INVALID\)$/),
  });
  const nowhere = run('external', join(place.root, 'nowhere'));
  expect(nowhere).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /^The configuration .*nowhere\/zone\.json does not exist\. \(CONFIG_INVALID\)$/,
    ),
  });
});

const describeAsRoot = mayBecome ? describe : describe.skip;
describeAsRoot('where this process may become another user (root)', () => {
  test('a zone becomes the user that is named, for good', async () => {
    const folder = external();
    chmodSync(place.root, 0o755);
    giveAway(owner.dir);
    const child = spawn(process.execPath, [BIN, 'external', folder, '--user', USER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    try {
      const [line] = (await once(lines, 'line')) as [string];
      const port = /reading at (\d+)/.exec((JSON.parse(line) as { message: string }).message)?.[1];
      for (const name of readdirSync(folder))
        expect([name, statSync(join(folder, name)).uid]).toEqual([name, uid]);
      // It serves as that user; without a grant nothing is there.
      const { host, serverName, authority, certificate, key } = owner.endpoint(Number(port), owner.agent);
      const asked = get({
        ...{ host, port, servername: serverName, ca: authority, cert: certificate, key },
        path: `/v1/blobs/${'0'.repeat(64)}`,
      });
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      expect(answer.statusCode).toBe(404);
    } finally {
      child.kill('SIGTERM');
    }
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });
});

import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  approve,
  copyZone,
  KeyRing,
  verifyZone,
  ZoneClient,
  type ExternalZone,
  type InternalClient,
  type InternalZone,
  type StorageRequest,
} from '../src/index.js';
import { Originals } from '../src/internal/originals.js';
import { privateKey } from './support/institutions.js';
import { CLAIM, FakeLedger, Place, sha256 } from './support/zones.js';

const DAY = 86_400_000;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const RECORDS = text('{"records":[{"AGE":71,"DEAD":true,"name":"a patient"}]}');

let place: Place;
let ledger: FakeLedger;
let external: ExternalZone;
let zone: InternalZone;
let client: InternalClient;
let ahead: number;
beforeEach(async () => {
  place = await Place.create(2);
  ledger = new FakeLedger();
  ahead = 0;
  external = await place.external(0, ledger);
  zone = await open();
  client = place.client(0, zone);
});
afterEach(() => place[Symbol.asyncDispose]());

const open = (changes: Record<string, unknown> = {}) =>
  place.internal(0, ledger, external, changes, () => new Date(Date.now() + ahead));
const blobFile = (area: string, hash: string): string => join(place.at(0).path(area), hash.slice(0, 2), hash);
const verify = async () => {
  await zone[Symbol.asyncDispose]();
  await external[Symbol.asyncDispose]();
  return verifyZone(place.at(0).path('internal'), ledger.heads, {
    folder: place.at(0).path('external'),
    mspId: place.at(0).mspId,
  });
};

test('a ciphertext that is acknowledged is in both zones, and the zones verify up to an anchor at the end', async () => {
  const hash = await client.put(randomBytes(200_000));
  expect(await client.has(hash)).toBe(true);
  for (const area of ['internal/ciphertexts', 'external/blobs'])
    expect(sha256(await readFile(blobFile(area, hash)))).toBe(hash);
  ledger.grant('Hospital2MSP', hash);
  await place.reader(0, external, place.at(1).agent).get(hash, CLAIM);
  const report = await verify();
  expect(report).toMatchObject({ findings: [], objects: 2 });
  // The last entry is the zone's end, and it is anchored.
  expect(report.proven?.sequence).toBe(report.head.sequence);
});

test('what the external zone had told the inside, it cannot unsay', async () => {
  const hash = await client.put(randomBytes(100));
  await external[Symbol.asyncDispose]();
  const path = place.at(0).path('external/journal.jsonl');
  // The inside writes what it was told at the end a moment later.
  let copied: string;
  do copied = await readFile(place.at(0).path('internal/external-journal.jsonl'), 'utf8');
  while (!copied.includes('"event":"closed"'));
  expect(copied).toContain(hash);
  const lines = copied.split('\n');
  await writeFile(path, `${lines[0]}\n`);
  const { findings } = await verify();
  expect(findings).toContainEqual(
    expect.objectContaining({ sentence: expect.stringMatching(/External journal: .* cut off/) }),
  );
});

test('nobody but the own institution comes in, and each only to what its role is for', async () => {
  const visitor = place.at(1).agent;
  const outside = new ZoneClient(place.at(0).endpoint(zone.port, visitor));
  await expect(outside.json({ method: 'GET', path: '/v1/objects' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  outside[Symbol.dispose]();
  const operator = await place.at(0).person('Ann', 'operator');
  const researcher = await place.at(0).person('Rick', 'researcher');
  await client.putOriginal('records-ist', RECORDS);
  for (const who of [operator, researcher]) {
    const other = place.client(0, zone, who);
    await expect(other.getOriginal('records-ist')).rejects.toMatchObject({ code: 'REFUSED' });
    await expect(other.put(randomBytes(10))).rejects.toMatchObject({ code: 'REFUSED' });
  }
  for (const name of ['..%2fjournal.jsonl', '../../zone.json', 'a/b'])
    await expect(client.getOriginal(name)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
});

test('originals are sealed at rest, come back whole, and open under no other name, key or bytes', async () => {
  await client.putOriginal('records-ist', RECORDS);
  await client.putOriginal('records-ist', text('{"records":[]}'));
  await client.putOriginal('records-other', RECORDS);
  expect(Buffer.from(await client.getOriginal('records-ist')).toString()).toBe('{"records":[]}');
  const folder = place.at(0).path('internal/originals');
  const keys = await KeyRing.file(place.at(0).path('keys.json'));
  const originals = await Originals.open(folder, keys);
  const [first, second, other] = originals.list();
  expect(Buffer.from(await originals.get('records-ist', 1)).equals(RECORDS)).toBe(true);
  const sealed = await originals.objects.get(first!.object);
  expect(Buffer.from(sealed).includes('patient')).toBe(false);
  expect((await stat(join(folder, 'envelopes', `${first!.object}.json`))).mode & 0o077).toBe(0);

  // A key of another envelope, a place that was changed, a ring without the key.
  const swap = async (content: object): Promise<unknown> => {
    const path = join(folder, 'envelopes', `${first!.object}.json`);
    await writeFile(path, JSON.stringify(content));
    const altered = await Originals.open(folder, keys);
    await writeFile(path, JSON.stringify(first));
    return altered.get('records-ist', 1);
  };
  for (const changed of [
    { ...first!, key: other!.key },
    { ...first!, key: second!.key },
    { ...first!, retainUntil: new Date(0).toISOString() },
  ])
    await expect(swap(changed)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  const strange = await Originals.open(folder, await KeyRing.file(place.at(0).path('other.json')));
  await expect(strange.get('records-ist', 1)).rejects.toMatchObject({ code: 'KEY_INVALID' });
});

test('a rotated key opens everything, the old one nothing more, and no object was touched', async () => {
  await client.putOriginal('records-ist', RECORDS);
  await zone[Symbol.asyncDispose]();
  const folder = place.at(0).path('internal/originals');
  const path = place.at(0).path('keys.json');
  const old = await readFile(path);
  const [before] = (await Originals.open(folder, await KeyRing.file(path))).list();
  const rotated = await KeyRing.rotate(path);
  expect(await (await Originals.open(folder, rotated)).rewrap()).toBe(1);
  const again = await Originals.open(folder, rotated);
  expect(again.list()[0]!.object).toBe(before!.object);
  expect(Buffer.from(await again.get('records-ist')).equals(RECORDS)).toBe(true);
  const stale = await Originals.open(folder, KeyRing.parse(old.toString(), 'the old ring'));
  await expect(stale.get('records-ist')).rejects.toMatchObject({ code: 'KEY_INVALID' });
});

test('a key file that others can read is not used', async () => {
  const path = place.at(0).path('keys.json');
  const { chmod } = await import('node:fs/promises');
  await chmod(path, 0o644);
  await expect(KeyRing.file(path)).rejects.toMatchObject({ code: 'KEY_INVALID' });
});

test('computes what only originals can answer: sums of the logistic likelihood, and nothing about few', async () => {
  const records = Array.from({ length: 40 }, (_, i) => ({
    AGE: 50 + i,
    DEAD: i % 3 === 0,
    SEX: i % 2 ? 'M' : 'F',
  }));
  await client.putOriginal('records-ist', text(JSON.stringify({ records })));
  const request = {
    outcome: { variable: 'DEAD', level: 'true' },
    terms: [
      { variable: 'AGE', middle: 70, half: 10 },
      { variable: 'SEX', level: 'M' },
    ],
    coefficients: [0.1, -0.2, 0.3],
  };
  const { records: n, gradient, hessian, logLikelihood } = await client.logistic('records-ist', request);
  expect(n).toBe(40);
  // Against finite differences of the likelihood itself.
  const at = async (changes: number[]) =>
    (await client.logistic('records-ist', {
      ...request,
      coefficients: request.coefficients.map((value, i) => value + (changes[i] ?? 0)),
    })) as { logLikelihood: number; gradient: number[] };
  const h = 1e-4;
  for (const j of [0, 1, 2]) {
    const step = [0, 0, 0].map((_, i) => (i === j ? h : 0));
    const [up, down] = [await at(step), await at(step.map((value) => -value))];
    expect((up.logLikelihood - down.logLikelihood) / (2 * h)).toBeCloseTo(gradient[j]!, 5);
    for (const i of [0, 1, 2])
      expect((up.gradient[i]! - down.gradient[i]!) / (2 * h)).toBeCloseTo(hessian[i]![j]!, 5);
  }
  expect(logLikelihood).toBeLessThan(0);
  const women = await client.logistic('records-ist', {
    ...request,
    where: [{ variable: 'SEX', level: 'F' }],
    minimumRecords: 20,
  });
  expect(women.records).toBe(20);
  // Stored field by field they say the same.
  const fields = Object.fromEntries(
    (['AGE', 'DEAD', 'SEX'] as const).map((name) => [name, records.map((record) => record[name])]),
  );
  await client.putOriginal('records-fields', text(JSON.stringify({ fields })));
  expect(await client.logistic('records-fields', request)).toEqual(
    await client.logistic('records-ist', request),
  );
  // All of the gradient is men's where the term is one.
  expect(women.gradient[2]).toBe(0);
  await client.putOriginal('records-few', RECORDS);
  await expect(
    client.logistic('records-few', { ...request, terms: [], coefficients: [0] }),
  ).rejects.toMatchObject({
    code: 'REFUSED',
  });
});

describe('what is damaged', () => {
  test('a flipped bit and a deleted file are found, mended from the other zone, and noted', async () => {
    const bytes = [randomBytes(5000), randomBytes(6000), randomBytes(7000)];
    const [one, two, three] = [
      await client.put(bytes[0]!),
      await client.put(bytes[1]!),
      await client.put(bytes[2]!),
    ];
    const flipped = Buffer.from(bytes[0]!);
    flipped[1234] = flipped[1234]! ^ 8;
    await writeFile(blobFile('internal/ciphertexts', one), flipped);
    await unlink(blobFile('internal/ciphertexts', two));
    await unlink(blobFile('external/blobs', three));
    await external.scrub.once();
    expect([...external.scrub.damaged]).toEqual([three]);
    expect(await zone.scrubOnce()).toEqual([]);
    for (const hash of [one, two]) expect(sha256(await client.get(hash))).toBe(hash);
    expect(sha256(await readFile(blobFile('external/blobs', three)))).toBe(three);
    const journal = await readFile(place.at(0).path('internal/journal.jsonl'), 'utf8');
    expect(journal.match(/"event":"damaged"/g)).toHaveLength(2);
    expect(journal.match(/"event":"repaired"/g)).toHaveLength(3);
    expect((await verify()).findings).toEqual([]);
  });

  test('with both zones of a house lost, every ciphertext comes back from another institution by its hash', async () => {
    const far = await place.external(1, ledger);
    await zone[Symbol.asyncDispose]();
    const hosts = [{ mspId: 'Hospital2MSP', ...place.inner(1, far.ports.publish) }];
    zone = await open({ replicas: { count: 1, hosts } });
    const other = place.client(0, zone);
    const hash = await other.put(randomBytes(9000));
    expect(await zone.replicate()).toBe(0);
    for (const area of ['internal/ciphertexts', 'external/blobs'])
      await rm(place.at(0).path(area), { recursive: true });
    expect(await zone.scrubOnce()).toEqual([]);
    expect(sha256(await other.get(hash))).toBe(hash);
  });

  test('a host that cannot be reached gets its replica when it can, also after a restart', async () => {
    const far = await place.external(1, ledger);
    const port = far.ports.publish;
    await far[Symbol.asyncDispose]();
    await zone[Symbol.asyncDispose]();
    const changes = { replicas: { count: 1, hosts: [{ mspId: 'Hospital2MSP', ...place.inner(1, port) }] } };
    zone = await open(changes);
    const hash = await place.client(0, zone).put(randomBytes(100));
    expect(await zone.replicate()).toBe(1);
    await zone[Symbol.asyncDispose]();
    await place.external(1, ledger, { config: { publish: { host: '127.0.0.1', port } } });
    zone = await open(changes);
    expect(await zone.replicate()).toBe(0);
    expect(
      (await stat(join(place.at(1).path('external/replicas/Hospital1MSP'), hash.slice(0, 2)))).isDirectory(),
    ).toBe(true);
  });

  test('objects that were altered, removed or put there by others are named, with the anchor before', async () => {
    const [one, two] = [await client.put(randomBytes(100)), await client.put(randomBytes(200))];
    await zone[Symbol.asyncDispose]();
    await writeFile(blobFile('internal/ciphertexts', one), 'other bytes');
    await unlink(blobFile('internal/ciphertexts', two));
    const stranger = sha256(text('stranger'));
    const path = blobFile('internal/ciphertexts', stranger);
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, 'stranger');
    const { findings, proven } = await verify();
    expect(findings.map(({ kind, what }) => [kind, what])).toEqual([
      ['damaged', one],
      ['missing', two],
      ['unknown', stranger],
    ]);
    expect(findings[0]!.since).toEqual(proven);
  });
});

test('a house that burnt down comes back from its backup, and the ledger says what came after it', async () => {
  await client.putOriginal('records-ist', RECORDS);
  const hash = await client.put(randomBytes(300));
  const [folder, backup] = [place.at(0).path('internal'), place.at(0).path('backup')];
  expect(await copyZone(folder, backup)).toEqual({ objects: 2, kept: 0 });
  const later = await client.put(randomBytes(400));
  expect(await copyZone(folder, backup)).toEqual({ objects: 1, kept: 2 });
  const last = await client.put(randomBytes(500));
  await zone[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  await copyZone(backup, folder);
  const { findings } = await verifyZone(folder, ledger.heads);
  expect(findings.map(({ kind }) => kind)).toEqual(['cut']);
  zone = await open();
  client = place.client(0, zone);
  expect(Buffer.from(await client.getOriginal('records-ist')).equals(RECORDS)).toBe(true);
  for (const known of [hash, later]) expect(sha256(await client.get(known))).toBe(known);
  await expect(client.get(last)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

describe('what is deleted', () => {
  const request = (object: string, changes: Partial<StorageRequest> = {}): StorageRequest => ({
    type: 'strokeshare/storage-request',
    version: 1,
    mspId: 'Hospital1MSP',
    action: 'delete',
    object,
    reason: 'The study has ended.',
    nonce: randomUUID().replaceAll('-', ''),
    expires: new Date(Date.now() + ahead + DAY).toISOString(),
    ...changes,
  });
  const people = async () => ({
    ann: await place.at(0).person('Ann', 'operator'),
    bob: await place.at(0).person('Bob', 'operator'),
  });
  type People = Awaited<ReturnType<typeof people>>;
  const sign = (asked: StorageRequest, ...signers: People['ann'][]) => ({
    request: asked,
    approvals: signers.map((who) => approve(asked, who.certificate, privateKey(who))),
  });
  const post = async (path: string, body: object, who: People['ann']): Promise<unknown> => {
    using operator = new ZoneClient(place.at(0).endpoint(zone.port, who));
    return operator.json({ method: 'POST', path, body: text(JSON.stringify(body)) });
  };

  test('goes only behind its retention, by two people of the house, with a record on the private channel first', async () => {
    const { ann, bob } = await people();
    await client.putOriginal('records-ist', RECORDS);
    const [{ object } = { object: '' }] = (
      await Originals.open(
        place.at(0).path('internal/originals'),
        await KeyRing.file(place.at(0).path('keys.json')),
      )
    ).list();
    const ciphertext = await client.put(randomBytes(50));
    for (const hash of [object, ciphertext])
      await expect(post('/v1/deletions', sign(request(hash), ann, bob), ann)).rejects.toMatchObject({
        code: 'RETAINED',
      });
    ahead = 200 * DAY;
    await expect(post('/v1/deletions', sign(request(ciphertext), ann, bob), ann)).rejects.toMatchObject({
      code: 'RETAINED',
    });
    // Behind the ciphertexts' retention of a year; certificates run for a year, too, so people renewed theirs.
    ahead = 366 * DAY;
    const later = { notAfter: new Date(Date.now() + 800 * DAY) };
    const [ann2, bob2] = [
      await place.at(0).person('Ann', 'operator', later),
      await place.at(0).person('Bob', 'operator', later),
    ];
    ledger.reachable = false;
    await expect(post('/v1/deletions', sign(request(ciphertext), ann2, bob2), ann2)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    ledger.reachable = true;
    await post('/v1/deletions', sign(request(ciphertext), ann2, bob2), ann2);
    expect(ledger.deletions).toMatchObject([{ object: ciphertext, reason: 'The study has ended.' }]);
    expect(ledger.deletions[0]!.approvedBy.map((name) => /CN=(\w+)/.exec(name)?.[1])).toEqual(['Ann', 'Bob']);
    for (const area of ['internal/ciphertexts', 'external/blobs'])
      await expect(stat(blobFile(area, ciphertext))).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await verify()).findings).toEqual([]);
  });

  test('one person, one key, a stranger, a changed or an expired request do not suffice', async () => {
    await zone[Symbol.asyncDispose]();
    zone = await open({ retentionDays: { ciphertexts: 0, originals: 0 } });
    const { ann, bob } = await people();
    const hash = await place.client(0, zone).put(randomBytes(50));
    const asked = request(hash);
    const annAgain = await place.at(0).person('Ann', 'operator');
    const stranger = await place.at(1).person('Bob', 'operator');
    const clerk = await place.at(0).person('Carl', 'institution');
    const good = sign(asked, ann, bob);
    const refused = [
      sign(asked, ann, ann),
      sign(asked, ann, annAgain),
      sign(asked, ann, stranger),
      sign(asked, ann, clerk),
      { ...good, request: { ...asked, reason: 'Another reason.' } },
      { ...good, approvals: [good.approvals[0], { ...good.approvals[1], certificate: clerk.certificate }] },
      sign(request(hash, { expires: new Date(Date.now() - 1).toISOString() }), ann, bob),
      sign(request(hash, { expires: new Date(Date.now() + 30 * DAY).toISOString() }), ann, bob),
      sign(request(hash, { action: 'release' }), ann, bob),
      sign(request(hash, { mspId: 'Hospital2MSP' }), ann, bob),
    ];
    for (const body of refused)
      await expect(post('/v1/deletions', body, ann)).rejects.toMatchObject({ code: 'REFUSED' });
    await expect(post('/v1/deletions', sign(asked, ann), ann)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    expect(ledger.deletions).toEqual([]);
    await post('/v1/deletions', good, ann);
    await expect(post('/v1/deletions', good, ann)).rejects.toMatchObject({ code: 'REFUSED' });
  });

  test('a legal hold stands until two people lift it, and a request that lifted one does not lift the next', async () => {
    await zone[Symbol.asyncDispose]();
    zone = await open({ retentionDays: { ciphertexts: 0, originals: 0 } });
    const { ann, bob } = await people();
    const hash = await place.client(0, zone).put(randomBytes(50));
    await post('/v1/holds', { object: hash, reason: 'Court order 17.' }, ann);
    await zone[Symbol.asyncDispose]();
    // Holds follow from the journal: a restart forgets none.
    zone = await open({ retentionDays: { ciphertexts: 0, originals: 0 } });
    await expect(post('/v1/deletions', sign(request(hash), ann, bob), ann)).rejects.toMatchObject({
      code: 'RETAINED',
      message: expect.stringContaining('Court order 17.'),
    });
    const lift = sign(request(hash, { action: 'release' }), ann, bob);
    await post('/v1/releases', lift, ann);
    await post('/v1/holds', { object: hash, reason: 'Court order 18.' }, ann);
    await expect(post('/v1/releases', lift, ann)).rejects.toMatchObject({ code: 'REFUSED' });
    await expect(post('/v1/deletions', sign(request(hash), ann, bob), ann)).rejects.toMatchObject({
      code: 'RETAINED',
    });
  });
});

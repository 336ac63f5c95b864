import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { ZoneClient, type ExternalZone, type ZoneEndpoint } from '../src/index.js';
import { claimHeader } from '../src/external/read-requests.js';
import { CertificateAuthority } from '@strokeshare/network';
import { subjectOf } from './support/institutions.js';
import { CLAIM, FakeLedger, Place, sha256 } from './support/zones.js';

let place: Place;
let ledger: FakeLedger;
let zone: ExternalZone;
beforeEach(async () => {
  place = await Place.create(2);
  ledger = new FakeLedger();
});
afterEach(() => place[Symbol.asyncDispose]());

const journalText = async (): Promise<string> => readFile(place.at(0).path('external/journal.jsonl'), 'utf8');

/** Brings a blob in by the inner side, as the internal zone does. */
async function publish(bytes: Uint8Array, index = 0): Promise<string> {
  const hash = sha256(bytes);
  using client = new ZoneClient(place.at(0).endpoint(zone.ports.publish, place.at(index).agent));
  await client.json({ method: 'PUT', path: `/v1/blobs/${hash}`, body: bytes });
  return hash;
}

interface Answer {
  status: number;
  headers: string;
  body: string;
}

/** A bare request, so that everything in it may be wrong. */
function ask(
  endpoint: ZoneEndpoint,
  path: string,
  headers: Record<string, string> = { 'strokeshare-grant': claimHeader(CLAIM) },
  method = 'GET',
): Promise<Answer> {
  const { host, port, serverName, authority, certificate, key } = endpoint;
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host,
        port,
        servername: serverName,
        ca: authority,
        cert: certificate || undefined,
        key: key || undefined,
        path,
        headers,
        method,
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: JSON.stringify({ ...response.headers, date: '' }),
            body: Buffer.concat(parts).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

describe('who comes in', () => {
  beforeEach(async () => {
    zone = await place.external(0, ledger);
  });

  test('a blob goes to whom the ledger grants it, whole, and the access is in the journal', async () => {
    const bytes = randomBytes(300_000);
    const hash = await publish(bytes);
    ledger.grant('Hospital2MSP', hash);
    const got = await place.reader(0, zone, place.at(1).agent).get(hash, CLAIM);
    expect(Buffer.from(got).equals(bytes)).toBe(true);
    expect(ledger.asked[0]).toEqual({
      mspId: 'Hospital2MSP',
      subject: subjectOf(place.at(1).agent.certificate),
      blob: hash,
      claim: CLAIM,
    });
    expect(await journalText()).toContain(`"event":"allowed","mspId":"Hospital2MSP"`);
  });

  test('without a grant, an existing and an absent blob get the same answer, and nothing is looked up', async () => {
    const hash = await publish(randomBytes(100));
    const endpoint = place.at(0).endpoint(zone.ports.read, place.at(1).agent);
    const [existing, absent] = [
      await ask(endpoint, `/v1/blobs/${hash}`),
      await ask(endpoint, `/v1/blobs/${'0'.repeat(64)}`),
    ];
    expect(existing.status).toBe(404);
    expect(existing).toEqual(absent);
    // One who is granted an absent blob gets the very same, too.
    ledger.grant('Hospital2MSP', '1'.repeat(64));
    expect(await ask(endpoint, `/v1/blobs/${'1'.repeat(64)}`)).toEqual(absent);
    expect((await journalText()).match(/"event":"refused"/g)).toHaveLength(2);
  });

  test.each([
    '/v1/blobs/../../zone.json',
    '/v1/blobs/%2e%2e%2fjournal.jsonl',
    '/v1/blobs/',
    '/v1/blobs',
    '/',
    '/v1/journal?after=0',
    '/v1/damaged',
    `/v1/blobs/${'A'.repeat(64)}`,
    `/v1/blobs/${'0'.repeat(64)}?x=1`,
    `/v1/blobs/${'0'.repeat(64)}/..`,
  ])('%s is no way in, and lists nothing', async (path) => {
    const endpoint = place.at(0).endpoint(zone.ports.read, place.at(1).agent);
    expect(await ask(endpoint, path)).toMatchObject({
      status: 404,
      body: expect.stringContaining('NOT_FOUND'),
    });
    expect(ledger.asked).toEqual([]);
  });

  test.each([
    ['no claim', {}],
    ['a claim that is not JSON', { 'strokeshare-grant': 'eyJ' }],
    ['a claim beyond its size', { 'strokeshare-grant': 'A'.repeat(9000) }],
    ['a range that is none', { 'strokeshare-grant': claimHeader(CLAIM), range: 'bytes=5-2' }],
    ['two ranges', { 'strokeshare-grant': claimHeader(CLAIM), range: 'bytes=0-1,3-4' }],
  ])('%s gets nothing', async (_, headers) => {
    const hash = await publish(randomBytes(100));
    ledger.grant('Hospital2MSP', hash);
    const endpoint = place.at(0).endpoint(zone.ports.read, place.at(1).agent);
    expect((await ask(endpoint, `/v1/blobs/${hash}`, headers)).status).toBe(404);
  });

  test.each(['PUT', 'DELETE', 'POST', 'HEAD', 'OPTIONS'])('the outer side knows no %s', async (method) => {
    const hash = await publish(randomBytes(100));
    ledger.grant('Hospital2MSP', hash);
    const endpoint = place.at(0).endpoint(zone.ports.read, place.at(1).agent);
    const headers = { 'strokeshare-grant': claimHeader(CLAIM) };
    expect((await ask(endpoint, `/v1/blobs/${hash}`, headers, method)).status).toBe(404);
  });

  test('nobody passes the handshake with no certificate, a stranger’s, or one of the TLS authority', async () => {
    const stranger = await CertificateAuthority.create('ca.hospital2.example', 'hospital2.example');
    const forged = await stranger.issueIdentity('Agent1', 'client', { 'strokeshare.role': 'institution' });
    const wrong = [{ certificate: '', key: '' }, forged, place.at(1).tls];
    for (const who of wrong)
      await expect(
        ask(place.at(0).endpoint(zone.ports.read, who), `/v1/blobs/${'0'.repeat(64)}`),
      ).rejects.toThrow(/ECONNRESET|alert|EPIPE|socket|hang up/i);
    expect(ledger.asked).toEqual([]);
  });

  test('nobody speaks an older TLS', async () => {
    const { agent } = place.at(1);
    const socket = connectTls({
      host: '127.0.0.1',
      port: zone.ports.read,
      cert: agent.certificate,
      key: agent.key,
      ca: place.at(0).tlsAuthority.issued.certificate,
      servername: place.at(0).serverName,
      maxVersion: 'TLSv1.2',
    });
    await expect(
      new Promise((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject)),
    ).rejects.toThrow(/version|alert|reset/i);
  });

  test('an expired certificate and one that is not valid yet pass nowhere', async () => {
    const now = Date.now();
    const old = await place.at(1).person('Agent1', 'institution', {
      notBefore: new Date(now - 200_000_000),
      notAfter: new Date(now - 100_000_000),
    });
    const early = await place.at(1).person('Agent1', 'institution', {
      notBefore: new Date(now + 100_000_000),
      notAfter: new Date(now + 200_000_000),
    });
    for (const who of [old, early])
      await expect(
        ask(place.at(0).endpoint(zone.ports.read, who), `/v1/blobs/${'0'.repeat(64)}`),
      ).rejects.toThrow(/ECONNRESET|alert|EPIPE|socket|hang up/i);
  });

  test('only publishers come in by the inner side, with bytes that have the announced hash', async () => {
    const visitor = await place.at(0).person('Visitor', 'institution');
    const bytes = randomBytes(1000);
    const put = async (who: typeof visitor, hash: string): Promise<unknown> => {
      using client = new ZoneClient(place.at(0).endpoint(zone.ports.publish, who));
      return client.json({ method: 'PUT', path: `/v1/blobs/${hash}`, body: bytes });
    };
    await expect(put(visitor, sha256(bytes))).rejects.toMatchObject({ code: 'REFUSED' });
    await expect(put(place.at(0).agent, '0'.repeat(64))).rejects.toMatchObject({ code: 'CORRUPT' });
    // Another institution brings replicas, and neither reads the journal nor deletes what is not its own.
    using partner = new ZoneClient(place.at(0).endpoint(zone.ports.publish, place.at(1).agent));
    await expect(partner.json({ method: 'GET', path: '/v1/journal?after=0' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    const hash = await publish(bytes);
    await partner.json({ method: 'DELETE', path: `/v1/blobs/${hash}` });
    ledger.grant('Hospital2MSP', hash);
    expect(await place.reader(0, zone, place.at(1).agent).get(hash, CLAIM)).toHaveLength(1000);
  });

  test('the cut and the altered: a proxy that changes a byte breaks the connection, one that replays reaches nothing', async () => {
    const hash = await publish(randomBytes(50_000));
    ledger.grant('Hospital2MSP', hash);
    const recorded: Buffer[] = [];
    let alter = false;
    const proxy = createServer((inbound) => {
      const outbound = connectTcp(zone.ports.read, '127.0.0.1');
      inbound.on('data', (part: Buffer) => {
        recorded.push(Buffer.from(part));
        outbound.write(part);
      });
      outbound.on('data', (part: Buffer) => {
        const copy = Buffer.from(part);
        if (alter && copy.length > 2000) copy[1500] = (copy[1500] ?? 0) ^ 1;
        inbound.write(copy);
      });
      for (const [one, other] of [
        [inbound, outbound],
        [outbound, inbound],
      ] as const)
        one.on('close', () => other.destroy()).on('error', () => other.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    place.later(() => new Promise((resolve) => proxy.close(resolve)));
    const endpoint = {
      ...place.at(0).endpoint(zone.ports.read, place.at(1).agent),
      port: (proxy.address() as AddressInfo).port,
    };
    expect((await ask(endpoint, `/v1/blobs/${hash}`)).status).toBe(200);
    const asked = ledger.asked.length;
    const replayed = connectTcp(zone.ports.read, '127.0.0.1');
    for (const part of recorded) replayed.write(part);
    await new Promise((resolve) => replayed.on('close', resolve).on('error', resolve).resume());
    expect(ledger.asked).toHaveLength(asked);
    alter = true;
    await expect(ask(endpoint, `/v1/blobs/${hash}`)).rejects.toThrow();
  });

  test('a certificate that is revoked is refused from the next look at the list on, without a restart', async () => {
    await zone[Symbol.asyncDispose]();
    zone = await place.external(0, ledger, {
      external: { reloadMs: 20, listener: { connectionsPerSecond: 100_000 } },
    });
    const hash = await publish(randomBytes(100));
    ledger.grant('Hospital2MSP', hash);
    const renewed = await place.at(1).person('Agent1', 'institution');
    const endpoint = (who: typeof renewed) => place.at(0).endpoint(zone.ports.read, who);
    expect((await ask(endpoint(place.at(1).agent), `/v1/blobs/${hash}`)).status).toBe(200);
    await place.at(1).revoke(place.at(1).agent.certificate);
    let answer: Answer;
    do answer = await ask(endpoint(place.at(1).agent), `/v1/blobs/${hash}`);
    while (answer.status === 200);
    expect(answer).toMatchObject({ status: 403 });
    expect((await ask(endpoint(renewed), `/v1/blobs/${hash}`)).status).toBe(200);
    expect(await journalText()).toContain('certificate: REVOKED');
  });
});

describe('grants that end', () => {
  const PART = 40 * 1024 * 1024;

  /** A download that stands still after its first bytes. */
  async function stalled(hash: string) {
    const { host, port, serverName, authority, certificate, key } = place
      .at(0)
      .endpoint(zone.ports.read, place.at(1).agent);
    const socket = connectTls({ host, port, servername: serverName, ca: authority, cert: certificate, key });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const header = `strokeshare-grant: ${claimHeader(CLAIM)}`;
    socket.write(`GET /v1/blobs/${hash} HTTP/1.1\r\nhost: zone\r\n${header}\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    return socket;
  }
  /** Reads a stalled download to wherever it ends. */
  async function readOn(socket: Awaited<ReturnType<typeof stalled>>): Promise<number> {
    let length = 0;
    socket.on('data', (part: Buffer) => (length += part.length));
    await new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
    return length;
  }

  test.each(['revoked', 'unreachable ledger', 'clock beyond the certificate'])(
    'a running download is cut: %s',
    async (how) => {
      let ahead = 0;
      zone = await place.external(0, ledger, {
        external: { cache: { liveMs: 50 }, now: () => new Date(Date.now() + ahead) },
      });
      const hash = await publish(Buffer.alloc(PART, 7));
      ledger.grant('Hospital2MSP', hash);
      const socket = await stalled(hash);
      if (how === 'revoked') ledger.revoke('Hospital2MSP', hash);
      else if (how === 'unreachable ledger') ledger.reachable = false;
      else ahead = 400 * 86_400_000;
      expect(await readOn(socket)).toBeLessThan(PART);
      await zone[Symbol.asyncDispose]();
      expect(await journalText()).toMatch(/"event":"cut".*(grant has ended|does not answer|EXPIRED)/);
    },
  );

  test('without the ledger nothing is given out, whether it is there or not', async () => {
    zone = await place.external(0, ledger, { external: { cache: { liveMs: 1 } } });
    const hash = await publish(randomBytes(100));
    ledger.grant('Hospital2MSP', hash);
    ledger.reachable = false;
    const endpoint = place.at(0).endpoint(zone.ports.read, place.at(1).agent);
    const answer = await ask(endpoint, `/v1/blobs/${hash}`);
    expect(answer.status).toBe(503);
    expect(await ask(endpoint, `/v1/blobs/${'0'.repeat(64)}`)).toEqual(answer);
  });

  test('clocks that are wrong let nobody in longer: certificates follow the wall, grants a clock that never goes back', async () => {
    let ahead = 0;
    zone = await place.external(0, ledger, { external: { now: () => new Date(Date.now() + ahead) } });
    const hash = await publish(randomBytes(100));
    ledger.grant('Hospital2MSP', hash);
    const endpoint = place.at(0).endpoint(zone.ports.read, place.at(1).agent);
    expect((await ask(endpoint, `/v1/blobs/${hash}`)).status).toBe(200);
    for (const skew of [-400, 400]) {
      ahead = skew * 86_400_000;
      expect((await ask(endpoint, `/v1/blobs/${hash}`)).status).toBe(403);
    }
  });
});

describe('who only wants to keep it busy', () => {
  test('one identity beyond its rate is told so; another one is served meanwhile', async () => {
    zone = await place.external(0, ledger, { config: { requestsPerSecond: 5 } });
    const hash = await publish(randomBytes(100));
    ledger.grant('Hospital1MSP', hash);
    const at = (index: number) => place.at(0).endpoint(zone.ports.read, place.at(index).agent);
    const flood = await Promise.all(
      Array.from({ length: 30 }, () => ask(at(1), `/v1/blobs/${'0'.repeat(64)}`)),
    );
    const limited = flood.filter(({ status }) => status === 429).length;
    // Two windows of a second at most can have opened meanwhile, five requests in each, and one more at the edge.
    expect(limited).toBeGreaterThanOrEqual(30 - 15);
    expect((await ask(at(0), `/v1/blobs/${hash}`)).status).toBe(200);
    await zone[Symbol.asyncDispose]();
    expect(await journalText()).toMatch(/\d+ times Hospital2MSP.*beyond the rate limit/);
  });

  test('slow headers, oversized headers and silent connections are ended', async () => {
    zone = await place.external(0, ledger, { external: { listener: { headersMs: 300, idleMs: 600 } } });
    const { agent } = place.at(1);
    const open = async () => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: zone.ports.read,
        cert: agent.certificate,
        key: agent.key,
        ca: place.at(0).tlsAuthority.issued.certificate,
        servername: place.at(0).serverName,
      });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      return socket;
    };
    const closed = (socket: NodeJS.EventEmitter) =>
      new Promise<void>((resolve) => socket.on('close', resolve).on('error', () => undefined));

    // Slow loris: a byte of a header now and then, for ever.
    const slow = await open();
    const ended = closed(slow.resume());
    slow.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => slow.write('x'), 50);
    await ended;
    clearInterval(drip);

    const large = await open();
    const refused = closed(large.resume());
    large.write(`GET / HTTP/1.1\r\nhost: zone\r\nx: ${'y'.repeat(64 * 1024)}\r\n\r\n`);
    await refused;

    const silent = connectTcp(zone.ports.read, '127.0.0.1');
    await closed(silent.resume());
    await zone[Symbol.asyncDispose]();
    expect(ledger.asked).toEqual([]);
    expect(await journalText()).toMatch(
      /times outer 127.0.0.1: (ERR_HTTP_REQUEST_TIMEOUT|HPE_HEADER_OVERFLOW)/,
    );
  });

  test('a body beyond the limit is refused without being kept', async () => {
    zone = await place.external(0, ledger, { config: { maximumBlobBytes: 1000 } });
    await expect(publish(randomBytes(1001))).rejects.toMatchObject({
      code: expect.stringMatching(/TOO_LARGE|UNAVAILABLE/),
    });
    const partner = publish(randomBytes(900), 1);
    await expect(partner).resolves.toMatch(/^[0-9a-f]{64}$/);
  });

  test('a replica partner fills no more than its quota', async () => {
    zone = await place.external(0, ledger, {
      config: {
        publishers: [0, 1].map((index) => ({
          mspId: place.at(index).mspId,
          subject: subjectOf(place.at(index).agent.certificate),
          ...(index === 1 && { quotaBytes: 1500 }),
        })),
      },
    });
    await publish(randomBytes(1000), 1);
    await expect(publish(randomBytes(1000), 1)).rejects.toMatchObject({
      code: expect.stringMatching(/TOO_LARGE|UNAVAILABLE/),
    });
    await publish(randomBytes(400), 1);
  });
});

test('a download that the network cuts goes on where it ended, and other bytes are never taken for it', async () => {
  zone = await place.external(0, ledger);
  const bytes = randomBytes(600_000);
  const hash = await publish(bytes);
  ledger.grant('Hospital2MSP', hash);
  let cuts = 3;
  const proxy = createServer((inbound) => {
    const outbound = connectTcp(zone.ports.read, '127.0.0.1');
    let passed = 0;
    inbound.pipe(outbound);
    outbound.on('data', (part: Buffer) => {
      passed += part.length;
      inbound.write(part);
      if (passed > 150_000 && cuts > 0) {
        cuts -= 1;
        inbound.destroy();
      }
    });
    for (const [one, other] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const)
      one.on('close', () => other.destroy()).on('error', () => other.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  place.later(() => new Promise((resolve) => proxy.close(resolve)));
  const { RemoteBlobs } = await import('../src/index.js');
  using reader = new RemoteBlobs(
    {
      ...place.at(0).endpoint(zone.ports.read, place.at(1).agent),
      port: (proxy.address() as AddressInfo).port,
    },
    { patienceMs: 0 },
  );
  expect(sha256(await reader.get(hash, CLAIM))).toBe(hash);
  expect(cuts).toBe(0);

  const path = join(place.at(0).path('external/blobs'), hash.slice(0, 2), hash);
  await writeFile(path, randomBytes(600_000));
  await expect(reader.get(hash, CLAIM)).rejects.toMatchObject({ code: 'CORRUPT' });
});

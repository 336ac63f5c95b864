import { fork, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertificateAuthority } from '@strokeshare/network';
import { RemoteBlobs, ZoneClient, type ZoneEndpoint } from '@strokeshare/storage-node';
import { row, type BenchRow } from '../report.js';
import type { Bench } from './index.js';
import type { ServerFigures, ServerTask } from './storage/server.js';

const BLOB_BYTES = 1_000_000;
const BLOBS = 20;
const READERS = 500;
/** What one identity may ask for in a second. */
const RATE = 100;
const ROUNDS = 3;
const MEMORY_BUDGET_MIB = 512;
const CLAIM = { kind: 'job', jobId: 'bench' };

interface Institution {
  mspId: string;
  agent: { certificate: string; key: string };
}

/**
 * The external zone under load: 500 readers of 1 MB blobs at once, alone and beside one who asks without a grant as
 * often as the rate limit lets through. The ratio is server CPU per honest request with and without that one; the peer
 * of the figures is the bound that the design states.
 */
export const storageBench: Bench = {
  summary: 'server CPU and memory of the external zone, alone and under attack',
  run: async (progress) => {
    const folder = await mkdtemp(join(tmpdir(), 'strokeshare-bench-'));
    try {
      return await measured(folder, progress);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measured(folder: string, progress: (line: string) => void): Promise<BenchRow[]> {
  const tls = await CertificateAuthority.create('tlsca.bench.example', 'bench.example');
  const server = await tls.issueTls('storage.bench.example', ['storage.bench.example']);
  await writeFile(join(folder, 'cert.pem'), server.certificate);
  await writeFile(join(folder, 'key.pem'), server.key, { mode: 0o600 });
  const [owner, honest, attacker] = await Promise.all(
    ['OwnerMSP', 'HonestMSP', 'AttackerMSP'].map((mspId) => institution(folder, mspId)),
  );
  if (!owner || !honest || !attacker) throw new TypeError('there are three institutions');
  const child = fork(join(__dirname, 'storage', 'server.js'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const task: ServerTask = {
      folder,
      granted: honest.mspId,
      config: config(folder, [owner, honest, attacker]),
    };
    child.send(task);
    const [ports] = (await once(child, 'message')) as [{ read: number; publish: number }];
    const endpoint = (port: number, { agent }: Institution): ZoneEndpoint => ({
      host: '127.0.0.1',
      port,
      serverName: 'storage.bench.example',
      authority: tls.issued.certificate,
      ...agent,
    });
    const hashes = await publish(endpoint(ports.publish, owner));
    const reader = endpoint(ports.read, honest);
    await load(child, reader, hashes);
    const [alone, attacked]: [number[], number[]] = [[], []];
    let rss = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const quiet = await load(child, reader, hashes);
      const ending = new AbortController();
      const attack = floods(endpoint(ports.read, attacker), ending.signal);
      const loud = await load(child, reader, hashes);
      ending.abort();
      await attack;
      alone.push(quiet.cpuPerRequest);
      attacked.push(loud.cpuPerRequest);
      rss = Math.max(rss, quiet.rss, loud.rss);
      progress(
        `round ${round}: ${(1000 * quiet.cpuPerRequest).toFixed(2)} ms, attacked ${(1000 * loud.cpuPerRequest).toFixed(2)} ms`,
      );
    }
    const [quiet, loud] = [median(alone), median(attacked)];
    return [
      row(
        'server CPU per honest request of 1 MB, alone',
        'ms',
        1000 * quiet,
        null,
        'no peer: the base of the ratio',
      ),
      row(
        'server CPU per honest request, attacked, over alone',
        'ratio',
        loud / quiet,
        1.1,
        'bound of the design',
      ),
      row('server memory with 500 readers at once', 'MiB', rss / 2 ** 20, MEMORY_BUDGET_MIB, 'budget'),
    ];
  } finally {
    child.disconnect();
  }
}

async function institution(folder: string, mspId: string): Promise<Institution> {
  const authority = await CertificateAuthority.create(`ca.${mspId}`, mspId);
  await mkdir(join(folder, mspId, 'cacerts'), { recursive: true });
  await writeFile(join(folder, mspId, 'cacerts', 'ca.pem'), authority.issued.certificate);
  const agent = await authority.issueIdentity('Agent1', 'client', { 'strokeshare.role': 'institution' });
  return { mspId, agent };
}

function config(folder: string, members: readonly Institution[]): unknown {
  const [owner] = members;
  if (!owner) throw new TypeError('there is an owner');
  const subject = new X509Certificate(owner.agent.certificate).subject.replaceAll('\n', ',');
  const path = join(folder, 'key.pem');
  return {
    zone: 'external',
    mspId: owner.mspId,
    listen: { host: '127.0.0.1', port: 0 },
    publish: { host: '127.0.0.1', port: 0 },
    tls: { certificate: join(folder, 'cert.pem'), key: path },
    members: Object.fromEntries(members.map(({ mspId }) => [mspId, join(folder, mspId)])),
    publishers: [{ mspId: owner.mspId, subject }],
    // The zone is given its answers by the server of the bench.
    ledger: {
      mspId: owner.mspId,
      peerEndpoint: 'localhost:1',
      peerHostAlias: 'none',
      tlsCaCertPath: path,
      certPath: path,
      keyPath: path,
    },
    // Honest readers are many institutions in truth; here they are one identity.
    requestsPerSecond: 100_000,
  };
}

async function publish(endpoint: ZoneEndpoint): Promise<string[]> {
  using client = new ZoneClient(endpoint);
  const hashes: string[] = [];
  for (let i = 0; i < BLOBS; i++) {
    const body = randomBytes(BLOB_BYTES);
    const hash = createHash('sha256').update(body).digest('hex');
    await client.json({ method: 'PUT', path: `/v1/blobs/${hash}`, body });
    hashes.push(hash);
  }
  return hashes;
}

/** Every reader reads one blob over a connection of its own, at most as many at once as an identity may. */
async function load(
  child: ChildProcess,
  endpoint: ZoneEndpoint,
  hashes: readonly string[],
): Promise<{ cpuPerRequest: number; rss: number }> {
  const before = await figures(child);
  let rss = before.rssBytes;
  const sampling = setInterval(() => child.send('figures'), 100);
  const sample = (message: ServerFigures): void => {
    rss = Math.max(rss, message.rssBytes);
  };
  child.on('message', sample);
  await Promise.all(
    Array.from({ length: READERS }, async (_, i) => {
      using blobs = new RemoteBlobs(endpoint, { patienceMs: 60_000 });
      await blobs.get(hashes[i % hashes.length] ?? '', CLAIM);
    }),
  );
  clearInterval(sampling);
  child.off('message', sample);
  const after = await figures(child);
  return { cpuPerRequest: (after.cpuSeconds - before.cpuSeconds) / READERS, rss };
}

async function figures(child: ChildProcess): Promise<ServerFigures> {
  child.send('figures');
  const [answer] = (await once(child, 'message')) as [ServerFigures];
  return answer;
}

/** Asks without a grant, as often as one identity may, until the signal is aborted. */
async function floods(endpoint: ZoneEndpoint, signal: AbortSignal): Promise<void> {
  using client = new ZoneClient(endpoint);
  const header = Buffer.from(JSON.stringify(CLAIM)).toString('base64url');
  while (!signal.aborted) {
    const path = `/v1/blobs/${randomBytes(32).toString('hex')}`;
    client.send({ method: 'GET', path, headers: { 'strokeshare-grant': header } }).then(
      (answer) => answer.resume(),
      () => undefined,
    );
    await sleep(1000 / RATE);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

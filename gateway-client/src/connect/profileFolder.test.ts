import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority } from '@strokeshare/network';
import { readProfileFolder } from './profileFolder.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'profiles-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const peer = (host: string, alias?: string) => ({
  url: `grpcs://${host}:7051`,
  tlsCACerts: { pem: 'PEM' },
  ...(alias === undefined ? {} : { grpcOptions: { 'ssl-target-name-override': alias } }),
});

async function writeProfile(name: string, profile: unknown): Promise<void> {
  await writeFile(join(folder, `connection-${name}.json`), JSON.stringify(profile));
}

async function writeIdentity(name: string, user: string, role: string): Promise<string> {
  const authority = await CertificateAuthority.create('ca.example', 'example');
  const { certificate, key } = await authority.issueIdentity(user, 'client', { 'strokeshare.role': role });
  const identity = join(folder, 'identities', name, user);
  for (const [part, file, content] of [
    ['signcerts', 'cert.pem', certificate],
    ['keystore', 'abc_sk', key],
  ] as const) {
    await mkdir(join(identity, 'msp', part), { recursive: true });
    await writeFile(join(identity, 'msp', part, file), content);
  }
  return identity;
}

const research = {
  client: { organization: 'Research' },
  organizations: { Research: { mspid: 'ResearchMSP', peers: ['a', 'b'] } },
  peers: { a: peer('peer.hospital-a.example', 'peer0.a'), b: peer('10.1.2.3') },
};

test('an organisation is its connection profile and the users whose certificates have a role', async () => {
  await writeProfile('research', research);
  const identity = await writeIdentity('research', 'ann', 'researcher');
  const [ann, ...others] = (await readProfileFolder(folder)).withRole('researcher');
  expect(others).toEqual([]);
  const credentials = {
    certPath: join(identity, 'msp', 'signcerts', 'cert.pem'),
    keyPath: join(identity, 'msp', 'keystore', 'abc_sk'),
  };
  const first = {
    peerEndpoint: 'peer.hospital-a.example:7051',
    peerHostAlias: 'peer0.a',
    tlsCaCertPem: 'PEM',
  };
  const second = { peerEndpoint: '10.1.2.3:7051', peerHostAlias: '10.1.2.3', tlsCaCertPem: 'PEM' };
  expect(ann?.profile()).toEqual({ mspId: 'ResearchMSP', ...first, alternatives: [second], ...credentials });
  expect(ann?.profilesOfEachPeer()).toEqual([
    { mspId: 'ResearchMSP', ...first, ...credentials },
    { mspId: 'ResearchMSP', ...second, ...credentials },
  ]);
  expect((await readProfileFolder(folder)).withRole('institution')).toEqual([]);
});

test("a client's own TLS certificate comes with its key", async () => {
  await writeProfile('research', research);
  const identity = await writeIdentity('research', 'ann', 'researcher');
  await mkdir(join(identity, 'tls'));
  await writeFile(join(identity, 'tls', 'client.crt'), '');
  await expect(readProfileFolder(folder)).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
  await writeFile(join(identity, 'tls', 'client.key'), '');
  const [ann] = (await readProfileFolder(folder)).withRole('researcher');
  expect(ann?.profile()).toMatchObject({
    tlsClientCertPath: join(identity, 'tls', 'client.crt'),
    tlsClientKeyPath: join(identity, 'tls', 'client.key'),
  });
});

test.each<[string, () => Promise<unknown>, string]>([
  ['nothing', async () => undefined, 'connection-<name>.json'],
  ['no JSON', () => writeFile(join(folder, 'connection-a.json'), '{'), 'cannot be read as JSON'],
  [
    'no TLS',
    () => writeProfile('a', { ...research, peers: { a: { ...peer('x'), url: 'grpc://x:1' } } }),
    'grpcs',
  ],
  ['an unknown peer', () => writeProfile('a', { ...research, peers: {} }), 'peers has no a'],
  ['an unknown client', () => writeProfile('a', { ...research, organizations: {} }), 'has no Research'],
  [
    'no peer',
    () => writeProfile('a', { ...research, organizations: { Research: { mspid: 'R', peers: [] } } }),
    'names no peer',
  ],
  [
    'no key',
    async () => {
      await writeProfile('research', research);
      const identity = await writeIdentity('research', 'ann', 'researcher');
      await rm(join(identity, 'msp', 'keystore'), { recursive: true });
    },
    'keystore',
  ],
])('a folder with %s is refused in one sentence', async (_, make, words) => {
  await make();
  await expect(readProfileFolder(folder)).rejects.toMatchObject({
    code: 'PROFILE_INVALID',
    message: expect.stringContaining(words),
  });
});

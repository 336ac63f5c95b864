import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority } from '../certificates/index.js';
import { issueOrdererOrganization, issuePeerOrganization } from '../certificates/organization.js';
import { run } from '../cli/program.js';
import { certificateExpiry } from './certificateExpiry.js';

const DAY = 86_400_000;
const dir = mkdtempSync(join(tmpdir(), 'expiry-'));
const inDays = (days: number): Date => new Date(Date.now() + days * DAY);

beforeAll(async () => {
  const authority = await CertificateAuthority.create('ca.clinic.example', 'clinic.example');
  const write = async (name: string, days: number): Promise<void> => {
    const { certificate, key } = await authority.issueIdentity(name, 'peer', undefined, {
      notAfter: inDays(days),
    });
    mkdirSync(join(dir, name, 'signcerts'), { recursive: true });
    writeFileSync(join(dir, name, 'signcerts', 'cert.pem'), certificate + authority.issued.certificate);
    writeFileSync(join(dir, name, 'key.pem'), key);
  };
  await write('peer0', 12.5);
  await write('peer1', 200);
});

afterAll(() => rmSync(dir, { recursive: true }));

/** Exit code and JSON of the command. */
async function certificates(...argv: string[]): Promise<{ code: number; said: unknown }> {
  let said = '';
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  try {
    const code = await run(['certificates', '--json', ...argv]);
    return { code, said: JSON.parse(said) };
  } finally {
    spy.mockRestore();
  }
}

describe('expiring certificates', () => {
  it('lists each certificate once, the first to expire first, and no key', () => {
    expect(certificateExpiry([dir], new Date())).toMatchObject([
      { name: 'peer0', authority: false, daysLeft: 12 },
      { name: 'peer1', daysLeft: 199 },
      { name: 'ca.clinic.example', organization: 'clinic.example', authority: true, files: { length: 2 } },
    ]);
  });

  it('tells monitoring by the exit code whether one expires soon', async () => {
    expect(await certificates(dir)).toMatchObject({ code: 1, said: { expiring: 1, within: 30 } });
    expect(await certificates(dir, '--within', '10')).toMatchObject({ code: 0, said: { expiring: 0 } });
    expect(await certificates(dir, '--within', '201')).toMatchObject({ code: 1, said: { expiring: 2 } });
  });

  it('counts one that has expired', () => {
    expect(certificateExpiry([dir], inDays(13))[0]).toMatchObject({ name: 'peer0', daysLeft: -1 });
  });

  it('does not take a folder without certificates, a missing or a damaged one for a good one', async () => {
    const empty = mkdtempSync(join(dir, 'empty-'));
    expect(await certificates(empty)).toMatchObject({
      code: 1,
      said: { error: { code: 'CERTIFICATE_INVALID' } },
    });
    expect(await certificates(join(dir, 'nowhere'))).toMatchObject({ code: 1 });
    writeFileSync(join(empty, 'cert.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    expect(await certificates(empty)).toMatchObject({
      code: 1,
      said: { error: { message: expect.stringContaining('cannot be read') as string } },
    });
  });

  it('covers the identities that this package issues', async () => {
    const network = mkdtempSync(join(dir, 'network-'));
    await issueOrdererOrganization(network, 'example.com');
    await issuePeerOrganization(network, { domain: 'org1.example.com', peer: true, users: [] });
    const names = certificateExpiry([network], new Date()).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['ca.org1.example.com', 'tlsca.example.com', 'peer0.org1.example.com']),
    );
  });
});

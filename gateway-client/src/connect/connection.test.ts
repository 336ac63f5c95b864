import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consortium, roles, type Role, type TransactionDefinition } from '@strokeshare/chaincode';
import { identity } from '../../../chaincode/test/support/identities.js';
import { auditorClient, institutionClient, operatorClient, researcherClient } from './clients.js';
import { connect } from './connection.js';
import type { Ledger } from './ledger.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'strokeshare-connect-'))));
afterAll(() => rm(folder, { recursive: true }));

async function profileOf(role?: Role, keyPath: string | undefined = 'key.pem'): Promise<string> {
  const { certificate } = await identity('ResearchMSP', 'somebody', role);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(folder, 'cert.pem'), certificate);
  await writeFile(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const path = join(folder, 'profile.json');
  const profile = {
    mspId: 'ResearchMSP',
    peerEndpoint: '127.0.0.1:1',
    peerHostAlias: 'peer',
    tlsCaCertPem: certificate,
    certPath: 'cert.pem',
    ...(keyPath !== '' && { keyPath }),
  };
  await writeFile(path, JSON.stringify(profile));
  return path;
}

test.each(roles)('a certificate with the role %s has the clients of that role', async (role) => {
  using connection = await connect(await profileOf(role));
  expect(connection).toMatchObject({ mspId: 'ResearchMSP', role });
  for (const name of ['operator', 'institution', 'researcher'] as const) {
    const open = async () => connection[name]().mspId;
    const opened = await open().catch(({ code }: { code: string }) => code);
    expect([name, opened]).toEqual([name, role === name ? 'ResearchMSP' : 'ROLE_DIFFERS']);
  }
  expect(Object.keys(connection.auditor())).toContain('audit');
});

test('a certificate without a role, a profile without a key and one without a file are named', async () => {
  using connection = await connect(await profileOf());
  expect(() => connection.researcher()).toThrow('has no role');
  await expect(connect(await profileOf('researcher', ''))).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
  await expect(connect(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
});

/** Where a contract's transactions are in a client. */
const GROUPS = {
  InstitutionContract: 'institutions',
  ResearcherContract: 'researchers',
  KeyEpochContract: 'epochs',
  DatasetContract: 'datasets',
  PermissionContract: 'permissions',
  AgreementContract: 'agreements',
  JobContract: 'jobs',
  AuditContract: 'audit',
  GrantContract: 'grants',
  EndorsementContract: 'endorsement',
  BuildInfoContract: 'buildInfo',
};

test.each(roles)('the client of %s commits what the contracts let that role commit, and no more', (role) => {
  const ledger = { mspId: 'AnyMSP' } as unknown as Ledger;
  const client: Record<string, unknown> = {
    operator: operatorClient,
    institution: institutionClient,
    researcher: researcherClient,
    auditor: auditorClient,
  }[role](ledger);
  const committing = Object.values(consortium)
    .flatMap((entries): TransactionDefinition[] => Object.values(entries))
    .filter(({ commits }) => commits)
    .map(({ contract, transaction, roles: allowed }) => {
      const method = `${transaction.charAt(0).toLowerCase()}${transaction.slice(1)}`;
      const offered = Object.hasOwn(
        (client[GROUPS[contract as keyof typeof GROUPS]] ?? {}) as object,
        method,
      );
      return { name: `${contract}:${transaction}`, offered, allowed: allowed.includes(role) };
    });
  const names = (having: 'offered' | 'allowed') =>
    committing.filter((entry) => entry[having]).map(({ name }) => name);
  expect(names('offered')).toEqual(names('allowed'));
});

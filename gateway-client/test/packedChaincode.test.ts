import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { clientProfile, deployChaincode, down, up } from '@strokeshare/network';
import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import { connectLedger, operatorClient, recordsClient } from '../src/index.js';
import { portRange } from '../../network/test/support/ports.js';

const root = join(__dirname, '..', '..');
const temporary = mkdtempSync(join(tmpdir(), 'packed-chaincode-'));
// As an operator's machine would have it: this project's Node, and nothing else of the project.
const env = {
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  HOME: process.env.HOME ?? temporary,
};
const npm = (cwd: string, ...args: string[]) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const packed = (contracts: string): string => join(temporary, 'operator', contracts);

/** The code digest in the label under which a package is to be installed. */
const labelled = (contracts: string): string => {
  const { label } = JSON.parse(readFileSync(join(packed(contracts), 'ccaas', 'metadata.json'), 'utf8')) as {
    label: string;
  };
  return label.replace(/^.*-/, '');
};

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'chaincode', 'packaging', 'pack.ts'), '--out', temporary], {
    env,
  });
  for (const contracts of ['consortium', 'records']) {
    cpSync(join(temporary, contracts), packed(contracts), { recursive: true });
    npm(packed(contracts), 'ci');
    npm(packed(contracts), 'run', 'build');
  }
}, 480_000);

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describe('the packed chaincode, outside of the repository', () => {
  it('holds no link into the repository and evaluates on ciphertexts', () => {
    const resolved = execFileSync(
      process.execPath,
      [
        '-e',
        `const { Evaluator, parameterSet } = require('@strokeshare/fhe');
         Evaluator.create(parameterSet('toy')).then(() => {
           console.log(require('node:fs').realpathSync(require.resolve('@strokeshare/fhe')));
           process.exit(0);
         });`,
      ],
      { cwd: packed('records'), env, encoding: 'utf8' },
    );
    expect(resolved.trim().startsWith(packed('records'))).toBe(true);
  });

  it('says which Node it needs on one that is too old', () => {
    const start = readFileSync(join(packed('consortium'), 'start.cjs'), 'utf8');
    const old = start.replaceAll('process.versions.node', "'22.18.0'");
    expect(() => execFileSync(process.execPath, ['-e', old], { env, stdio: 'pipe' })).toThrow(
      'Node 22.18.0 cannot run these contracts',
    );
  });

  const expectService = async (backend: 'embedded' | 'native'): Promise<void> => {
    const dir = join(temporary, backend);
    await up({
      dir,
      backend,
      basePort: await portRange(300),
      organizations: [
        {
          mspId: 'Org1MSP',
          domain: 'org1.example.com',
          peer: true,
          users: [{ name: 'Agent1', attributes: { 'strokeshare.role': 'institution' } }],
        },
      ],
      channels: ['consortium', 'org1-records'].map((name) => ({
        name,
        members: ['Org1MSP'],
        endorsement: "OR('Org1MSP.peer')",
      })),
    });
    try {
      const service = (channel: string, name: string) =>
        deployChaincode(dir, {
          channel,
          name,
          version: '0.1.0',
          label: `${name}_0.1.0-${labelled(name)}`,
          command: ['npm', '--prefix', packed(name), 'start'],
          env,
          organizations: ['Org1MSP'],
        });
      await Promise.all([service('consortium', 'consortium'), service('org1-records', 'records')]);
      using ledger = await connectLedger(clientProfile(dir, 'Org1MSP', 'Agent1'));
      const found = [
        await operatorClient(ledger).buildInfo.get({}),
        await recordsClient(ledger, 'org1-records').buildInfo.get({}),
      ];
      expect(found).toMatchObject([
        { contracts: 'consortium', nodeSeal: '7.0.0', node: process.version },
        { contracts: 'records', nodeSeal: '7.0.0', node: process.version },
      ]);
      for (const { contracts, codeDigest } of found)
        expect(codeDigest.startsWith(labelled(contracts))).toBe(true);
    } finally {
      await down(dir);
    }
  };

  it('answers as a service on the embedded network', () => expectService('embedded'));

  const onFabric = 'missing' in findPrograms() ? it.skip : it;
  onFabric('answers as a service on real nodes (native backend, where Fabric binaries are found)', () =>
    expectService('native'),
  );
});

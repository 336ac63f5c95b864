import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../src/cli/program.js';
import { type Call, transact } from '../src/cli/transact.js';
import { hints } from '../src/diagnosis/hints.js';
import { clientProfile, deployChaincode, down, type NetworkConfig, status, up } from '../src/index.js';
import { createOrganization } from './support/test-network.js';
import { portRange } from './support/ports.js';

const CHAINCODE = join(__dirname, 'chaincode');
const SHIM = join(dirname(createRequire(__filename).resolve('fabric-shim/package.json')), 'cli.js');
const temporary = mkdtempSync(join(tmpdir(), 'comfort-'));
const dir = join(temporary, 'network');
let basePort: number;
const config: NetworkConfig = {
  dir,
  get basePort() {
    return basePort;
  },
  organizations: [1, 2].map((number) => ({
    mspId: `Org${number}MSP`,
    domain: `org${number}.example.com`,
    peer: true,
    users: [],
  })),
  channels: [
    {
      name: 'mychannel',
      members: ['Org1MSP', 'Org2MSP'],
      endorsement: "AND('Org1MSP.peer','Org2MSP.peer')",
      batchTimeoutMs: 20,
    },
  ],
};

const deploy = (name: string, organizations: string[]): Promise<void> =>
  deployChaincode(dir, {
    channel: 'mychannel',
    name,
    version: '1.0',
    label: `${name}_1.0`,
    command: [
      process.execPath,
      ...[SHIM, 'server', '--chaincode-address', '{address}', '--chaincode-id', '{id}'],
      ...['--module-path', CHAINCODE],
    ],
    organizations,
  });

const profile = () => clientProfile(dir, 'Org1MSP', 'Admin');
const call = (chaincode: string, transaction: string, ...args: string[]): Call => ({
  channel: 'mychannel',
  chaincode,
  transaction,
  arguments: args,
});
const submit = (one: Call, as = profile()): Promise<string> =>
  transact(as, one, 'submit', (failed) => hints(dir, failed));

/** What a command says and how it ends. */
async function cli(...argv: string[]): Promise<{ code: number; said: string }> {
  let said = '';
  const write = (text: string | Uint8Array): boolean => {
    said += String(text);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation(write),
  );
  try {
    return { code: await run([...argv, '--dir', dir]), said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe('what a person is told when a call fails', () => {
  beforeAll(async () => {
    basePort = await portRange(300);
    await up(config);
    await deploy('everything', ['Org1MSP', 'Org2MSP']);
    await deploy('alone', ['Org1MSP']);
  });

  afterAll(async () => {
    await down(dir);
    rmSync(temporary, { recursive: true });
  });

  it.each([
    ['a channel', ['-c', 'mychanel', '-ccn', 'everything', 'get', 'a'], 'did you mean "mychannel"?'],
    ['a chaincode', ['-c', 'mychannel', '-ccn', 'everithing', 'get', 'a'], 'did you mean "everything"?'],
    [
      'a function',
      ['-c', 'mychannel', '-ccn', 'everything', 'gett', 'a'],
      'there is no function gett; did you mean "get"?',
    ],
    [
      'nothing near',
      ['-c', 'mychannel', '-ccn', 'everything', 'somethingElse'],
      'the contract has put, putMany',
    ],
  ])('the nearest name of %s', async (_, argv, words) => {
    const { code, said } = await cli('cc', 'query', ...argv);
    expect(said).toContain(words);
    expect(code).toBe(1);
  });

  it('the key of an MVCC conflict', async () => {
    await submit(call('everything', 'put', 'counter', '1'));
    // Peers are at different heights for moments, and what they then endorse differs: that is another failure.
    const reasons: string[] = [];
    while (reasons.length === 0) {
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => submit(call('everything', 'increment', 'counter'))),
      );
      for (const result of results) {
        const reason = result.status === 'rejected' ? (result.reason as Error).message : '';
        if (reason && !reason.includes('ProposalResponsePayloads do not match')) reasons.push(reason);
      }
    }
    for (const reason of reasons) {
      expect(reason).toContain('failed to commit with status code 11 (MVCC_READ_CONFLICT)');
      expect(reason).toContain("everything: key 'counter' has changed since it was endorsed");
    }
  });

  it('what differed between the organisations', async () => {
    await expect(submit(call('everything', 'random'))).rejects.toThrow(
      /the chaincode is not deterministic .*the value written to "random" of everything: Org1MSP has "[0-9a-f-]{36}", Org2MSP has "[0-9a-f-]{36}"/,
    );
  });

  it('who is missing where the policy cannot be met', async () => {
    await expect(submit(call('alone', 'put', 'a', '1'))).rejects.toThrow(
      'the policy needs Org2MSP, who run no chaincode alone',
    );
  });

  it('whose identity is of another network', async () => {
    const other = await createOrganization('Org1MSP', false);
    const { certificate, privateKey } = await other.issue('Ann', 'client');
    const [certPath, keyPath] = [join(temporary, 'cert.pem'), join(temporary, 'key.pem')];
    writeFileSync(certPath, certificate);
    writeFileSync(keyPath, privateKey);
    const failing = submit(call('everything', 'put', 'a', '1'), { ...profile(), certPath, keyPath });
    await expect(failing).rejects.toThrow(/the certificate "Ann@org1.example" of Org1MSP .*authority/);
  });

  it('which process died, and where its log is', async () => {
    await expect(submit(call('everything', 'exit'))).rejects.toThrow(
      /the process of everything_1.0 for Org1MSP is \w+, with \d+ restarts \(it ended last with exit code 1\); its log is .*everything_1.0-Org1MSP.log/,
    );
    const found = await status(dir);
    expect(found.state).toBe('running');
  });
});

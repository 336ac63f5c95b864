import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { statusText } from '../src/cli/statusText.js';
import { transact } from '../src/cli/transact.js';
import { identifyProcess, isRunning, waitForExit, type ProcessIdentity } from '../src/daemon/processes.js';
import {
  clientProfile,
  createChannel,
  deployChaincode,
  down,
  status,
  stop,
  up,
  type NetworkConfig,
} from '../src/index.js';
import { portRange } from './support/ports.js';

const BASIC = join(__dirname, 'basic');
const CLI = join(__dirname, '..', 'bin', 'strokeshare-network.js');
let basePort: number;

const temporary = mkdtempSync(join(tmpdir(), 'network-'));
const dir = join(temporary, 'deep', 'network');
const config: NetworkConfig = {
  dir,
  get basePort() {
    return basePort;
  },
  organizations: [
    {
      mspId: 'Org1MSP',
      domain: 'org1.example.com',
      peer: true,
      users: [{ name: 'Ann', attributes: { 'strokeshare.role': 'institution' } }],
    },
    { mspId: 'Org2MSP', domain: 'org2.example.com', peer: true, users: [] },
    { mspId: 'GuestMSP', domain: 'guest.example.com', peer: false, users: [{ name: 'Gus' }] },
  ],
  channels: [
    {
      name: 'mychannel',
      members: ['Org1MSP', 'Org2MSP', 'GuestMSP'],
      endorsement: "OutOf(2,'Org1MSP.peer','Org2MSP.peer')",
      batchTimeoutMs: 20,
    },
  ],
};
const basic = {
  channel: 'mychannel',
  name: 'basic',
  version: '1.0',
  label: 'basic_1.0',
  path: BASIC,
  organizations: ['Org1MSP', 'Org2MSP'],
};

const call = (user: [string, string], kind: 'submit' | 'evaluate', transaction: string, ...args: string[]) =>
  transact(
    clientProfile(dir, ...user),
    { channel: 'mychannel', chaincode: 'basic', transaction, arguments: args },
    kind,
  );

async function running(): Promise<{ daemon: ProcessIdentity; chaincodes: ProcessIdentity[] }> {
  const found = await status(dir);
  if (found.state !== 'running') throw new Error(found.state);
  const identify = (pid: number | undefined): ProcessIdentity => identifyProcess(pid ?? 0)!;
  return {
    daemon: identify(found.daemon.pid),
    chaincodes: found.daemon.processes.map(({ pid }) => identify(pid)),
  };
}

async function downIfUp(): Promise<void> {
  if (existsSync(dir)) await down(dir);
}

afterAll(async () => {
  await downIfUp();
  rmSync(temporary, { recursive: true });
});

beforeAll(async () => {
  basePort = await portRange(300);
});

describe('a network', () => {
  it('starts, and carries out what a chaincode does for users of every organisation', async () => {
    const info = await up(config);
    expect(info.channels).toStrictEqual(['mychannel']);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    await deployChaincode(dir, { ...basic, env: { GREETING: 'hello' } });

    await call(['Org1MSP', 'Ann'], 'submit', 'put', 'a', '1');
    await expect(call(['Org2MSP', 'Admin'], 'evaluate', 'get', 'a')).resolves.toBe('1');
    await expect(call(['GuestMSP', 'Gus'], 'evaluate', 'get', 'a')).resolves.toBe('1');
    expect(JSON.parse(await call(['Org1MSP', 'Ann'], 'evaluate', 'whoAmI'))).toStrictEqual({
      mspId: 'Org1MSP',
      role: 'institution',
      process: 'Org1MSP',
      greeting: 'hello',
    });
    await expect(call(['Org1MSP', 'Ann'], 'submit', 'get', 'nothing')).rejects.toMatchObject({
      code: 'TRANSACTION_FAILED',
      message: expect.stringContaining('there is no nothing'),
    });
  });

  it('says in one sentence that it runs already', async () => {
    await expect(up(config)).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      message: expect.stringMatching(/^A network is already running in .* \(process \d+\); .*\.$/),
    });
  });

  it('replaces a chaincode by a new version and ends the processes before', async () => {
    const before = await running();
    await deployChaincode(dir, {
      ...basic,
      version: '2.0',
      label: 'basic_2.0',
      env: { GREETING: 'good day' },
    });
    expect(await call(['Org1MSP', 'Ann'], 'evaluate', 'whoAmI')).toContain('good day');
    await expect(call(['Org1MSP', 'Ann'], 'evaluate', 'get', 'a')).resolves.toBe('1');
    for (const old of before.chaincodes) expect(isRunning(old)).toBe(false);
  });

  it('deploys to several channels at the same time', async () => {
    await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        deployChaincode(dir, { ...basic, name, organizations: ['Org1MSP', 'Org2MSP'], label: `${name}_1` }),
      ),
    );
    const found = await status(dir);
    expect(found.state === 'running' && found.daemon.processes.map(({ state }) => state)).toStrictEqual(
      Array.from({ length: 8 }, () => 'running'),
    );
  });

  it('adds a channel while it runs', async () => {
    await createChannel(dir, { name: 'second', members: ['Org2MSP'], endorsement: "OR('Org2MSP.peer')" });
    await deployChaincode(dir, { ...basic, channel: 'second', organizations: ['Org2MSP'] });
    const found = await status(dir);
    expect(found.channels).toStrictEqual(['mychannel', 'second']);
    await expect(
      createChannel(dir, { name: 'second', members: ['Org2MSP'], endorsement: "OR('Org2MSP.peer')" }),
    ).rejects.toMatchObject({ code: 'CHANNEL_EXISTS' });
  });

  it.each([
    [
      'ends at once',
      { command: ['node', '-e', 'console.error("out of luck"); process.exit(3)'] as const, path: undefined },
      'CHAINCODE_START_FAILED',
      'out of luck',
    ],
    ['is no project', { path: tmpdir() }, 'CHAINCODE_INVALID', 'has no package.json'],
    ['is for a stranger', { organizations: ['GuestMSP'] }, 'ORGANIZATION_UNKNOWN', 'GuestMSP has no peer'],
    ['is for no channel', { channel: 'third' }, 'CHANNEL_UNKNOWN', 'mychannel, second'],
    ['skips a sequence', { sequence: 9 }, 'DEFINITION_REFUSED', 'sequence'],
  ])('refuses a chaincode that %s, and leaves nothing of it', async (_, change, code, words) => {
    const before = await running();
    const { path, ...rest } = { ...basic, name: 'other', label: 'other_1', ...change };
    const request = path === undefined ? rest : { ...rest, path };
    await expect(deployChaincode(dir, request)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
    expect((await running()).chaincodes).toStrictEqual(before.chaincodes);
  });

  it('starts a chaincode again that was killed', async () => {
    const { chaincodes } = await running();
    process.kill(chaincodes[0]!.pid, 'SIGKILL');
    await waitForExit(chaincodes[0]!, 5000);
    for (let again = false; !again;) {
      const found = await status(dir);
      if (found.state !== 'running') throw new Error(found.state);
      const [first] = found.daemon.processes;
      again = first?.restarts === 1 && first.state === 'running';
    }
    await waitUntilReady();
    await expect(call(['Org1MSP', 'Ann'], 'evaluate', 'get', 'a')).resolves.toBe('1');
  });

  it('goes on with ledger, identities and chaincodes after a stop', async () => {
    const { daemon, chaincodes } = await running();
    await stop(dir);
    for (const identity of [daemon, ...chaincodes]) expect(isRunning(identity)).toBe(false);
    await expect(status(dir)).resolves.toMatchObject({ state: 'stopped' });
    await expect(up({ ...config, timeWindowSeconds: 60 })).rejects.toMatchObject({
      code: 'CONFIG_CHANGED',
      message: expect.stringContaining('timeWindowSeconds was 900 and is 60 now') as unknown,
    });
    await up(config);
    await expect(call(['Org1MSP', 'Ann'], 'evaluate', 'get', 'a')).resolves.toBe('1');
    expect((await status(dir)).channels).toStrictEqual(['mychannel', 'second']);
  });

  it('leaves no process when its daemon is killed, and goes on after that too', async () => {
    const { daemon, chaincodes } = await running();
    await call(['Org1MSP', 'Ann'], 'submit', 'put', 'b', '2');
    process.kill(daemon.pid, 'SIGKILL');
    for (const identity of [daemon, ...chaincodes])
      await expect(waitForExit(identity, 10_000)).resolves.toBe(true);
    await expect(status(dir)).resolves.toMatchObject({ state: 'crashed' });
    await up(config);
    await expect(call(['Org1MSP', 'Ann'], 'evaluate', 'get', 'b')).resolves.toBe('2');
  });

  it('names a damaged block file', async () => {
    await stop(dir);
    const file = join(dir, 'ledger', 'peers', 'Org2MSP', 'mychannel', 'blocks', 'blocks_000000');
    const sound = readFileSync(file);
    const spoilt = Buffer.from(sound);
    spoilt[300] = 255 - spoilt[300]!;
    writeFileSync(file, spoilt);
    await up(config);
    const found = await status(dir, { verify: true });
    const damage = { Org2MSP: `Block 0 in ${file} is damaged: its checksum is wrong.` };
    expect(found).toMatchObject({
      daemon: { channels: [{ name: 'mychannel', damage }, { name: 'second' }] },
    });
    expect(statusText(found)).toContain(`DAMAGED at Org2MSP: ${damage.Org2MSP}`);
    await stop(dir);
    writeFileSync(file, sound);
    await up(config);
    expect(statusText(await status(dir, { verify: true }))).not.toContain('DAMAGED');
  });

  it('takes down everything that it made, and only that, even after its daemon was killed', async () => {
    const { daemon, chaincodes } = await running();
    const mine = join(temporary, 'deep', 'mine');
    writeFileSync(mine, '');
    process.kill(daemon.pid, 'SIGKILL');
    await down(dir);
    for (const identity of [daemon, ...chaincodes])
      await expect(waitForExit(identity, 10_000)).resolves.toBe(true);
    expect(readdirSync(join(temporary, 'deep'))).toStrictEqual(['mine']);
    await expect(down(dir)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    rmSync(join(temporary, 'deep'), { recursive: true });
  });
});

describe('a start that cannot succeed', () => {
  it('names the port that is in use and writes nothing', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(basePort + 1, '127.0.0.1', resolve));
    await expect(up(config)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringMatching(
        `Port ${basePort + 1}, which the peer of Org2MSP needs, is in use by .*process ${process.pid}`,
      ),
    });
    await new Promise((resolve) => server.close(resolve));
    expect(existsSync(dir)).toBe(false);
  });

  it.each([
    [
      'a policy that cannot be read',
      { channels: [{ ...config.channels[0]!, endorsement: 'OR(' }] },
      'POLICY_INVALID',
    ],
    [
      'a channel without peers',
      { channels: [{ ...config.channels[0]!, members: ['GuestMSP'] }] },
      'CONFIG_INVALID',
    ],
  ])('refuses %s and writes nothing', async (_, change, code) => {
    await expect(up({ ...config, ...change })).rejects.toMatchObject({ code });
    expect(existsSync(dir)).toBe(false);
  });

  it('does not touch a directory that holds something else', async () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'thesis.txt'), '');
    await expect(up(config)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
    await expect(down(dir)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    expect(readdirSync(dir)).toStrictEqual(['thesis.txt']);
    rmSync(join(temporary, 'deep'), { recursive: true });
  });

  it.each(['Issuing certificates for org2', 'Opening the ledgers'])(
    'leaves nothing when it is interrupted at "%s"',
    async (moment) => {
      const interrupt = new AbortController();
      const onProgress = (message: string): void => {
        if (message.startsWith(moment)) interrupt.abort();
      };
      await expect(up(config, { onProgress, signal: interrupt.signal })).rejects.toMatchObject({
        code: 'INTERRUPTED',
      });
      expect(existsSync(join(temporary, 'deep'))).toBe(false);
    },
  );

  it('exits with 130 and leaves nothing when Ctrl-C interrupts the command', async () => {
    // The certificates of twenty organisations leave far more work than a late signal could miss.
    const child = spawn(
      process.execPath,
      [CLI, 'up', '--dir', dir, '--orgs', '20', '--base-port', String(basePort)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const exit = once(child, 'exit');
    for await (const line of createInterface({ input: child.stderr }))
      if (line.startsWith('Issuing certificates for org2')) child.kill('SIGINT');
    await expect(exit).resolves.toStrictEqual([130, null]);
    expect(existsSync(join(temporary, 'deep'))).toBe(false);
  });
});

describe('a start whose program was killed', () => {
  it.each(['Issuing certificates for org2', 'Opening the ledgers'])(
    'at "%s" can be taken down or started anew',
    async (moment) => {
      for (const recover of [() => down(dir), () => up(config).then(() => down(dir))]) {
        const child = spawn(
          process.execPath,
          [CLI, 'up', '--dir', dir, '--orgs', '12', '--base-port', String(basePort)],
          {
            stdio: ['ignore', 'ignore', 'pipe'],
          },
        );
        const exit = once(child, 'exit');
        for await (const line of createInterface({ input: child.stderr }))
          if (line.startsWith(moment)) child.kill('SIGKILL');
        await exit;
        if (moment.startsWith('Issuing')) await recover();
        else await down(dir);
        expect(existsSync(join(temporary, 'deep'))).toBe(false);
      }
    },
  );
});

async function waitUntilReady(): Promise<void> {
  for (;;) {
    const found = await status(dir);
    if (found.state !== 'running') throw new Error(found.state);
    const all = found.daemon.channels.flatMap(({ chaincodes }) =>
      chaincodes.flatMap(({ connections }) => Object.values(connections)),
    );
    if (all.every(({ ready }) => ready)) return;
  }
}

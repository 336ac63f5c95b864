import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { transact } from '../cli/transact.js';
import { killGroup, identifyProcess } from '../daemon/processes.js';
import {
  addOrganization,
  clientProfile,
  createChannel,
  deployChaincode,
  down,
  removeOrganization,
  status,
  stop,
  up,
  type NetworkConfig,
} from '../index.js';
import { findPrograms } from './binaries.js';
import { portRange } from '../../test/support/ports.js';

const BASIC = join(__dirname, '..', '..', 'test', 'basic');
const missing = 'missing' in findPrograms();
// Fabric is no dependency: where its programs are missing, the title says so.
const describeNative = missing ? describe.skip : describe;
const title = (text: string): string => (missing ? `${text} (skipped: fabric binaries not found)` : text);

const temporary = mkdtempSync(join(tmpdir(), 'native-'));
const hospitals = ['A', 'B', 'C'].map((name) => ({
  mspId: `${name}MSP`,
  domain: `${name.toLowerCase()}.example.com`,
  peer: true,
  users: [],
}));
const guests = ['X', 'Y', 'Z'].map((name) => ({
  mspId: `${name}MSP`,
  domain: `${name.toLowerCase()}.example.com`,
  peer: false,
  users: [{ name: 'Ann', attributes: { 'strokeshare.role': 'researcher' } }],
}));
const consortium = {
  name: 'consortium',
  members: [...hospitals, ...guests].map(({ mspId }) => mspId),
  endorsement: "OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')",
};
const basic = { name: 'basic', path: BASIC, organizations: hospitals.map(({ mspId }) => mspId) };

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describeNative(title('native network with peerless organisations'), () => {
  const dir = join(temporary, 'raft');
  let basePort: number;
  const config: NetworkConfig = {
    dir,
    backend: 'native',
    get basePort() {
      return basePort;
    },
    organizations: [...hospitals, ...guests],
    channels: [consortium, { name: 'a-records', members: ['AMSP'], endorsement: "OR('AMSP.peer')" }],
  };
  const call = (
    kind: 'submit' | 'evaluate',
    mspId: string,
    user: string,
    channel: string,
    transaction: string,
    ...args: string[]
  ) =>
    transact(
      clientProfile(dir, mspId, user, 'AMSP'),
      { channel, chaincode: 'basic', transaction, arguments: args },
      kind,
    );
  const deploy = (channel: string, version: string, organizations = basic.organizations) =>
    deployChaincode(dir, { ...basic, channel, version, label: `basic_${version}`, organizations });

  beforeAll(async () => {
    basePort = await portRange(600);
  });
  afterAll(async () => {
    if (existsSync(dir)) await down(dir);
  });

  it('starts, and every organisation with a peer installs, approves and commits a chaincode', async () => {
    await up(config);
    await Promise.all([deploy('consortium', '1.0'), deploy('a-records', '1.0', ['AMSP'])]);
    const found = await status(dir);
    expect(found).toMatchObject({
      state: 'running',
      daemon: {
        fabric: { consensus: 'raft', nodes: [{ kind: 'orderer', state: 'running' }, {}, {}, {}] },
        channels: [
          {
            name: 'consortium',
            chaincodes: [{ name: 'basic', sequence: 1, connections: { AMSP: { ready: true } } }],
          },
          { name: 'a-records', heights: { AMSP: 3 } },
        ],
      },
    });
  });

  it('lets nobody but the peer talk to a chaincode process', async () => {
    const found = await status(dir);
    const address = found.state === 'running' ? found.daemon.processes[0]?.address : undefined;
    const [host = '', port] = (address ?? '').split(':');
    const stranger = connect({ host, port: Number(port), rejectUnauthorized: false });
    await expect(once(stranger, 'close')).rejects.toThrow('certificate required');
  });

  it('lets a user without a peer submit and read, with the attributes of the certificate', async () => {
    await call('submit', 'XMSP', 'Ann', 'consortium', 'put', 'key', 'one');
    expect(await call('evaluate', 'YMSP', 'Ann', 'consortium', 'get', 'key')).toBe('one');
    expect(JSON.parse(await call('evaluate', 'ZMSP', 'Ann', 'consortium', 'whoAmI'))).toMatchObject({
      mspId: 'ZMSP',
      role: 'researcher',
    });
  });

  it('keeps other organisations out of a private channel', async () => {
    await call('submit', 'AMSP', 'Admin', 'a-records', 'put', 'key', 'mine');
    await expect(call('evaluate', 'BMSP', 'Admin', 'a-records', 'get', 'key')).rejects.toThrow(
      'access denied',
    );
  });

  it('upgrades a chaincode although half of the members run no peer', async () => {
    await deploy('consortium', '1.1');
    await call('submit', 'XMSP', 'Ann', 'consortium', 'put', 'key', 'two');
    const found = await status(dir);
    expect(found).toMatchObject({
      daemon: { channels: [{ chaincodes: [{ version: '1.1', sequence: 2 }] }, {}] },
    });
  });

  it('goes on without one of three peers, and starts it again', async () => {
    const before = await status(dir);
    const node = before.state === 'running' ? before.daemon.fabric?.nodes.at(-1) : undefined;
    killGroup(identifyProcess(node?.pid ?? 0)!);
    await call('submit', 'XMSP', 'Ann', 'consortium', 'put', 'key', 'three');
    const after = await status(dir);
    expect(after).toMatchObject({
      daemon: { fabric: { nodes: [{}, {}, {}, { name: 'peer0.c.example.com' }] } },
    });
    expect(after.state === 'running' && after.daemon.fabric?.nodes.at(-1)?.pid).not.toBe(node?.pid);
  });

  it('adds a channel while it runs', async () => {
    await createChannel(dir, { ...consortium, name: 'second' });
    await deploy('second', '1.0');
    await call('submit', 'YMSP', 'Ann', 'second', 'put', 'key', 'other');
    expect(await call('evaluate', 'YMSP', 'Ann', 'second', 'get', 'key')).toBe('other');
  });

  it('admits an institution: the members agree, its peer joins, runs the chaincodes and endorses', async () => {
    await addOrganization(dir, {
      organization: { mspId: 'DMSP', domain: 'd.example.com', peer: true, users: [] },
      joins: [{ name: 'consortium' }],
      creates: [{ name: 'd-records', members: ['DMSP'], endorsement: "OR('DMSP.peer')" }],
    });
    expect(await status(dir)).toMatchObject({
      daemon: {
        channels: [
          { name: 'consortium', chaincodes: [{ connections: { DMSP: { ready: true } } }] },
          {},
          {},
          { name: 'd-records', heights: { DMSP: 1 } },
        ],
      },
    });
    await call('submit', 'DMSP', 'Admin', 'consortium', 'put', 'key', 'four');
    expect(await call('evaluate', 'XMSP', 'Ann', 'consortium', 'get', 'key')).toBe('four');
  });

  it('excludes an institution, and upgrades without it', async () => {
    await removeOrganization(dir, { mspId: 'BMSP' });
    await deploy('consortium', '1.2', ['AMSP', 'CMSP', 'DMSP']);
    await call('submit', 'XMSP', 'Ann', 'consortium', 'put', 'key', 'five');
    expect(await call('evaluate', 'XMSP', 'Ann', 'consortium', 'get', 'key')).toBe('five');
    const found = await status(dir);
    expect(found.organizations.map(({ mspId }) => mspId)).not.toContain('BMSP');
  });

  it('goes on with its ledgers, definitions and processes after a stop', async () => {
    await stop(dir);
    await up(config);
    expect(await call('evaluate', 'XMSP', 'Ann', 'consortium', 'get', 'key')).toBe('five');
    await call('submit', 'XMSP', 'Ann', 'second', 'put', 'key', 'again');
  });

  it('leaves nothing behind', async () => {
    const found = await status(dir);
    const pids =
      found.state === 'running' ? (found.daemon.fabric?.nodes ?? []).map(({ pid }) => pid ?? 0) : [];
    expect(pids).toHaveLength(4);
    await down(dir);
    expect(existsSync(dir)).toBe(false);
    expect(pids.map((pid) => identifyProcess(pid))).toStrictEqual(pids.map(() => undefined));
  });
});

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transact } from '../cli/transact.js';
import { identifyProcess } from '../daemon/processes.js';
import { clientProfile, deployChaincode, down, status, up, type NetworkConfig } from '../index.js';
import { findFabric, findPrograms } from './binaries.js';
import { portRange } from '../../test/support/ports.js';

const missing = 'missing' in findPrograms();
const describeNative = missing ? describe.skip : describe;
const temporary = mkdtempSync(join(tmpdir(), 'consensus-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describeNative(
  missing
    ? 'SmartBFT with four orderers (skipped: fabric binaries not found)'
    : 'SmartBFT with four orderers',
  () => {
    const dir = join(temporary, 'bft');
    let basePort: number;
    const config: NetworkConfig = {
      dir,
      backend: 'native',
      consensus: 'bft',
      get basePort() {
        return basePort;
      },
      organizations: [{ mspId: 'AMSP', domain: 'a.example.com', peer: true, users: [] }],
      channels: [{ name: 'mychannel', members: ['AMSP'], endorsement: "OR('AMSP.peer')" }],
    };
    const call = (kind: 'submit' | 'evaluate', transaction: string, ...args: string[]) =>
      transact(
        clientProfile(dir, 'AMSP', 'Admin'),
        { channel: 'mychannel', chaincode: 'basic', transaction, arguments: args },
        kind,
      );

    beforeAll(async () => {
      basePort = await portRange(300);
    });
    afterAll(async () => {
      if (existsSync(dir)) await down(dir);
    });

    it('orders transactions, also while one orderer is silent; with Fabric 2.5 it is refused before anything starts', async () => {
      const { bft } = await findFabric();
      // Told before anything starts.
      const outcome = await up(config).then(
        () => 'started',
        (error: unknown) => String(error),
      );
      expect(outcome).toMatch(bft ? /^started$/ : /has no SmartBFT/);
      if (!bft) return;
      await deployChaincode(dir, {
        channel: 'mychannel',
        name: 'basic',
        version: '1.0',
        label: 'basic_1.0',
        path: join(__dirname, '..', '..', 'test', 'basic'),
        organizations: ['AMSP'],
      });
      await call('submit', 'put', 'key', 'one');

      const found = await status(dir);
      const fabric = found.state === 'running' ? found.daemon.fabric : undefined;
      expect(fabric).toMatchObject({
        consensus: 'bft',
        nodes: [{}, {}, {}, { kind: 'orderer' }, { kind: 'peer' }],
      });
      // Stopped, not ended: its supervisor would start it again.
      const silent = identifyProcess(fabric?.nodes[3]?.pid ?? 0)!;
      process.kill(-silent.pid, 'SIGSTOP');
      try {
        await call('submit', 'put', 'key', 'two');
        expect(await call('evaluate', 'get', 'key')).toBe('two');
      } finally {
        process.kill(-silent.pid, 'SIGCONT');
      }
    });
  },
);

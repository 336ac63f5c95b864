/** An institution with two peers: its clients go on when either is lost, through the gateway of the other. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientProfile, deployChaincode, down, up } from '@strokeshare/network';
import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import { connectLedger } from '../../src/connect/index.js';
import { portRange } from '../../../network/test/support/ports.js';
import { lose, nodesOf } from './lostNode.js';

const LIMIT_MS = 5 * 60 * 1000;
const BASIC = join(__dirname, '..', '..', '..', 'network', 'test', 'basic');
const mspId = 'AMSP';
const at = { channel: 'shared', chaincode: 'basic', contract: 'Basic' };

let dir = '';
afterAll(async () => {
  if (dir === '') return;
  if (readdirSync(dir).length > 0) await down(dir);
  rmSync(dir, { recursive: true, force: true });
}, LIMIT_MS);

/** The other one must not be lost before this one serves again. */
async function untilRunning(name: string): Promise<void> {
  for (let running = false; !running;)
    running = (await nodesOf(dir)).some((node) => node.name === name && node.state === 'running');
}

/* eslint-disable jest/no-disabled-tests, jest/expect-expect -- the title of the skipped test says why it did not run */
if ('missing' in findPrograms())
  it.skip('two peers: did not run, no Fabric binaries on PATH or in FABRIC_BIN_DIR', () => undefined);
else {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'two-peers-'));
    const basePort = await portRange(300);
    await up({
      dir,
      backend: 'native',
      basePort,
      organizations: [{ mspId, domain: 'a.example.com', peer: true, peers: 2, users: [{ name: 'Ann' }] }],
      channels: [{ name: at.channel, members: [mspId], endorsement: `OR('${mspId}.peer')` }],
    });
    await deployChaincode(dir, {
      ...{ channel: at.channel, name: at.chaincode, version: '1.0', label: 'basic_1.0', path: BASIC },
      organizations: [mspId],
    });
  }, LIMIT_MS);

  it.each(['peer0.a.example.com', 'peer1.a.example.com'])(
    'goes on without %s',
    async (name) => {
      const profile = clientProfile(dir, mspId, 'Ann');
      expect(profile.alternatives).toHaveLength(1);
      using ledger = await connectLedger(profile);
      const stamp = () => ledger.submit({ ...at, transaction: 'stamp', argument: name });
      const before = await stamp();
      const lost = await lose(dir, name);
      try {
        const after = await stamp();
        expect(after.blockNumber).toBeGreaterThan(before.blockNumber);
        const read = await ledger.evaluate({ ...at, transaction: 'get', argument: name });
        expect(read).toBe(after.transactionId);
      } finally {
        await lost.release();
        await untilRunning(name);
      }
    },
    LIMIT_MS,
  );
}

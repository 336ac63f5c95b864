/** Proof of work on a real network: the same on every backend. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verifyEndorsement } from '@strokeshare/gateway-client';
import { Miners, shareMany, untilSealed } from '../../src/sealing/load.js';
import { type Backend, CHANNEL, SealingNetwork } from '../../src/sealing/network.js';
import { portRange } from '../../../network/test/support/ports.js';

const SUBMITS = 150;
const IN_FLIGHT = 30;
const STROKESHARE = join(
  require.resolve('@strokeshare/gateway-client/package.json'),
  '..',
  'bin',
  'strokeshare.js',
);

export function sealing(backend: Backend): void {
  describe(`three institutions that mine, ${backend}`, () => {
    const signal = AbortSignal.timeout(240_000);
    let network: SealingNetwork;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'pow-'));
      network = await SealingNetwork.start({ backend, institutions: 3, ports: portRange });
      await writeFile(join(folder, 'profile.json'), JSON.stringify(network.institutions[1]?.profile));
    });
    afterAll(async () => {
      await network?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    const run = async (...args: string[]): Promise<string> => {
      const place = ['--profile', join(folder, 'profile.json'), '--channel', CHANNEL];
      const { stdout } = await promisify(execFile)(process.execPath, [STROKESHARE, 'pow', ...args, ...place]);
      return stdout;
    };

    it('proof of work is chosen once, from the command line', async () => {
      const choice = [
        'choose',
        '--interval',
        '1',
        '--hashes',
        '30000',
        '--easiest',
        '30000',
        '--window',
        '2016',
      ];
      expect(await run('status')).toBe('scheme   none\n');
      expect(await run(...choice)).toBe(`${CHANNEL} is sealed by proof of work from now on.\n`);
      expect(await run('status')).toMatch(
        /^scheme {3}pow\ndepth {4}1\nheight {3}0\n.*\ntarget .*\(30000 hashes/,
      );
      await expect(run(...choice)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('There is already an endorsement scheme'),
      });
    });

    it(`${SUBMITS} submits with ${IN_FLIGHT} in flight: none is lost, and all are sealed once`, async () => {
      const miners = new Miners(network.institutions);
      try {
        const { shared, failures } = await shareMany(network, SUBMITS, IN_FLIGHT);
        expect(failures).toEqual([]);
        await untilSealed(network, signal);

        const readers = network.institutions.map(({ client }) => client.endorsement);
        const chain = await verifyEndorsement(readers, signal);
        expect(chain.entries).toBe(SUBMITS);
        for (const { id } of shared.slice(0, 3))
          expect(await network.first.client.endorsement.sharing({ kind: 'batch', id })).toMatchObject({
            state: 'CONFIRMED',
            usable: true,
          });
      } finally {
        await miners[Symbol.asyncDispose]();
      }
      const { height } = await network.first.client.endorsement.tip({});
      // Every block is one institution's, and none was won twice. The last may be on the ledger before its miner hears of it.
      const won = [...miners.won.values()].reduce((sum, blocks) => sum + blocks, 0);
      expect([height, height - 1]).toContain(won);
    });

    it('the command line mines, and anyone checks the chain', async () => {
      await network.share(network.first);
      expect(await run('mine', '--threads', '1', '--blocks', '1')).toMatch(
        /^block \d+ [0-9a-f]{64} seals 1\n$/,
      );
      expect(await run('verify')).toMatch(/blocks by pow follow the rules.* seal 151 entries/);
      expect(await run('status')).toMatch(/scheme {3}pow[\s\S]*pending {2}0/);
    });
  });
}

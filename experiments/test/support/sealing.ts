/** Proof of work on a real network: the same on every backend. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verifyEndorsement } from '@strokeshare/gateway-client';
import { Miners, shareMany, untilSealed } from '../../src/sealing/load.js';
import { type Backend, CHANNEL, SealingNetwork } from '../../src/sealing/network.js';

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
    beforeAll(async () => {
      network = await SealingNetwork.start({ backend, institutions: 3 });
      await network.choosePow(30_000);
    });
    afterAll(() => network?.[Symbol.asyncDispose]());

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
      const folder = await mkdtemp(join(tmpdir(), 'pow-'));
      try {
        const file = join(folder, 'profile.json');
        await writeFile(file, JSON.stringify(network.institutions[1]?.profile));
        const run = async (...args: string[]): Promise<string> => {
          const place = ['--profile', file, '--channel', CHANNEL];
          const { stdout } = await promisify(execFile)(process.execPath, [
            STROKESHARE,
            'pow',
            ...args,
            ...place,
          ]);
          return stdout;
        };
        await network.share(network.first);
        expect(await run('mine', '--threads', '1', '--blocks', '1')).toMatch(
          /^block \d+ [0-9a-f]{64} seals 1\n$/,
        );
        expect(await run('verify')).toMatch(/blocks by pow follow the rules.* seal 151 entries/);
        expect(await run('status')).toMatch(/scheme {3}pow[\s\S]*pending {2}0/);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
}

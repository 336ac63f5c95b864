import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueNetwork } from '../certificates/index.js';
import { parseConfig, type ResolvedConfig } from '../config/index.js';
import { administratorsOf } from './channel-config.js';
import { openAdministrator, openNetwork } from './administration.js';
import type { FabricCli } from './cli.js';
import { findPrograms } from './binaries.js';
import { approvalsOf, approveDefinition, commitDefinition, committedDefinitions } from './lifecycle.js';
import { definitionOf } from './members.js';
import { NativeNetwork } from './native-network.js';
import { joinBySnapshot, takeSnapshot } from './snapshots.js';
import { describeUpdate, proposeUpdate, readDefinition, signUpdate, submitUpdate } from './update-steps.js';
import { untilHeight } from './readiness.js';
import { portRange } from '../../test/support/ports.js';

const missing = 'missing' in findPrograms();
const describeNative = missing ? describe.skip : describe;

const temporary = mkdtempSync(join(tmpdir(), 'steps-'));
const organization = (name: string) => ({
  mspId: `${name}MSP`,
  domain: `${name.toLowerCase()}.example.com`,
  peer: true,
  users: [],
});

describeNative(
  missing ? 'steps of administrators (skipped: fabric binaries not found)' : 'steps of administrators',
  () => {
    const shared = {
      name: 'shared',
      members: ['AMSP', 'BMSP'],
      endorsement: "OutOf(2,'AMSP.peer','BMSP.peer')",
    };
    let config: ResolvedConfig;
    const file = (name: string): string => join(temporary, name);
    let after: { endorsement: string; admins: ReturnType<typeof administratorsOf> };
    let network: NativeNetwork;
    let cli: FabricCli;

    beforeAll(async () => {
      config = parseConfig({
        dir: join(temporary, 'network'),
        backend: 'native',
        basePort: await portRange(300),
        organizations: [organization('A'), organization('B'), organization('C')],
        channels: [shared],
      });
      after = {
        endorsement: "OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')",
        admins: administratorsOf(config, ['AMSP', 'BMSP', 'CMSP']),
      };
      mkdirSync(join(config.dir, 'logs'), { recursive: true });
      await issueNetwork(config);
      network = await NativeNetwork.start({ config });
      cli = await openNetwork(config);
    });
    afterAll(async () => {
      await network.close();
      rmSync(temporary, { recursive: true, force: true });
    });

    it('takes a proposal from the newcomer to the members, by files alone', async () => {
      writeFileSync(file('c.json'), JSON.stringify(await definitionOf(cli, 'CMSP')));
      const change = { add: [readDefinition(file('c.json'))], policies: after };
      await expect(proposeUpdate(cli.as('AMSP'), 'shared', change, file('update'))).resolves.toBe(true);
      await expect(describeUpdate(cli.as('BMSP'), file('update'))).resolves.toMatchObject({
        channel: 'shared',
        adds: ['CMSP'],
        removes: [],
        others: [],
        signedBy: [],
      });
    });

    it('is refused by the channel while too few have signed', async () => {
      await expect(submitUpdate(cli.as('AMSP'), 'shared', file('update'))).rejects.toMatchObject({
        code: 'FABRIC_COMMAND_FAILED',
        message: expect.stringContaining('policy') as unknown,
      });
    });

    it('is in force once a majority has signed, one of them known by a file alone', async () => {
      const { administrator } = cli.as('BMSP');
      writeFileSync(file('b.yaml'), JSON.stringify(administrator));
      const elsewhere = await openAdministrator(file('b.yaml'));
      await signUpdate(elsewhere, file('update'));
      await expect(describeUpdate(elsewhere, file('update'))).resolves.toMatchObject({ signedBy: ['BMSP'] });
      await submitUpdate(cli.as('AMSP'), 'shared', file('update'));
      await untilHeight(cli, 'shared', ['AMSP', 'BMSP'], 2);
      const change = { add: [readDefinition(file('c.json'))], policies: after };
      await expect(proposeUpdate(cli.as('AMSP'), 'shared', change, file('again'))).resolves.toBe(false);
    });

    it("joins the newcomer's peer by a snapshot", async () => {
      const root = join(cli.paths.node(cli.peerOf('AMSP').name), 'data', 'snapshots');
      await joinBySnapshot(cli.as('CMSP'), await takeSnapshot(cli.as('AMSP'), 'shared', root));
      await expect(untilHeight(cli, 'shared', ['CMSP'], 2)).resolves.toBeUndefined();
    });

    it('tells a member that approves after the commit who has approved', async () => {
      const definition = { name: 'late', version: '1.0', sequence: 1 };
      const [a, b, c] = [cli.as('AMSP'), cli.as('BMSP'), cli.as('CMSP')];
      await Promise.all([a, b].map((admin) => approveDefinition(admin, 'shared', definition)));
      await expect(approvalsOf(a, 'shared', definition)).resolves.toEqual({
        AMSP: true,
        BMSP: true,
        CMSP: false,
      });
      await commitDefinition(a, 'shared', definition, [a.ownPeer, b.ownPeer]);
      // The commit waits for the peers that endorsed it, and for no other.
      while ((await committedDefinitions(c, 'shared')).length === 0);
      await approveDefinition(c, 'shared', definition);
      await expect(approvalsOf(c, 'shared', definition)).resolves.toEqual({
        AMSP: true,
        BMSP: true,
        CMSP: true,
      });
    });
  },
);

/** The main job on real nodes: those that it starts, and those of a network that runs already. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import { down, exportProfiles, status, up } from '@strokeshare/network';
import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import { connectLedger, operatorClient, readProfileFolder } from '../../src/connect/index.js';
import { demoNetwork } from '../../src/demo/consortium.js';
import { runDemo, type DemoOptions } from '../../src/demo/index.js';
import { deployContracts } from '../../src/demo/setup.js';
import { demoPaths } from '../../src/demo/state.js';
import { portRange } from '../../../network/test/support/ports.js';

const PROJECT = join(__dirname, '..', '..', '..');
const LIMIT_MS = 15 * 60 * 1000;
/** The demo's, with those of its storage nodes. */
const PORTS = 1000;

/* eslint-disable jest/no-disabled-tests, jest/expect-expect -- the title of the skipped test says why it did not run */
if ('missing' in findPrograms())
  it.skip('native demo: did not run, no Fabric binaries on PATH or in FABRIC_BIN_DIR', () => undefined);
else {
  let folder: string;
  let options: DemoOptions;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strokeshare-native-'));
    const progress: Writable = new PassThrough().resume();
    options = {
      project: PROJECT,
      folder: join(folder, 'demo'),
      out: join(folder, 'out'),
      basePort: await portRange(PORTS),
      signal: new AbortController().signal,
      progress: progress as NodeJS.WriteStream,
      print: () => undefined,
    };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    'agrees with the plain computation on orderers and peers that it starts',
    async () => {
      const report = await runDemo({ ...options, backend: 'native' });
      expect(report.ok).toBe(true);
      expect(report.jobs).toHaveLength(3);
    },
    LIMIT_MS,
  );

  it(
    'agrees with it on a network that runs already, by mutual TLS, changes none of its nodes, and refuses to enrol twice',
    async () => {
      const paths = demoPaths(join(folder, 'elsewhere'));
      const { signal } = options;
      // Whose peers serve those alone who show a TLS certificate.
      await up({ ...demoNetwork(paths.network, await portRange(PORTS), 'native'), mutualTls: true });
      try {
        await deployContracts(paths, signal, () => undefined);
        const profiles = join(folder, 'profiles');
        exportProfiles(paths.network, profiles);
        const nodes = async (): Promise<unknown> => {
          const found = await status(paths.network);
          return found.state === 'running' ? found.daemon.fabric?.nodes : found.state;
        };
        const before = await nodes();
        const [member] = (await readProfileFolder(profiles)).withRole('institution');
        const { tlsClientCertPath: _, tlsClientKeyPath: __, ...without } = member!.profile();
        using stranger = await connectLedger(without);
        await expect(
          operatorClient(stranger).institutions.list({}, { totalMs: 2_000 }),
        ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        expect((await runDemo({ ...options, profiles })).ok).toBe(true);
        await expect(runDemo({ ...options, profiles })).rejects.toMatchObject({ code: 'NETWORK_IN_USE' });
        expect(await nodes()).toEqual(before);
      } finally {
        await down(paths.network);
      }
    },
    LIMIT_MS,
  );
}

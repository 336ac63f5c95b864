/** The SDK and the agents survive the loss of any one node, in the middle of a job and under a load of transactions. */
import { execFileSync } from 'node:child_process';
import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import { AGREEMENT_ID, PURPOSE } from '../../src/demo/consortium.js';
import { runJob } from '../../src/demo/jobs.js';
import { agrees } from '../../src/demo/report.js';
import type { JobFile } from '../../src/researcher/index.js';
import { leaderOf, startAlliance, type AllianceUnderTest } from './allianceUnderTest.js';
import { TransactionLoad } from './load.js';
import { daemonOf, kill, lose, nodesOf } from './lostNode.js';
import { portRange } from '../../../network/test/support/ports.js';

const LIMIT_MS = 10 * 60 * 1000;
const PORTS = 500;

/** Sums need no relinearisation, so that the key is made quickly. */
const job: JobFile = {
  name: 'age',
  title: 'Count and mean age',
  agreement: AGREEMENT_ID,
  purpose: PURPOSE,
  analyses: [],
  query: {
    version: 1,
    statistics: [
      { id: 'patients', kind: 'count' },
      { id: 'age', kind: 'mean', variable: 'AGE' },
    ],
  },
};

/**
 * Runs a job under a load of transactions, does something in its middle, and looks afterwards: the job's result is the
 * plain one, every call of the load succeeded, more of them after the loss, and what was announced can be read.
 */
async function survives(under: AllianceUnderTest, name: string, harm: () => Promise<unknown>): Promise<void> {
  const { researcher, served } = under.alliance;
  const load = new TransactionLoad(researcher, 'ist-hospital1', name);
  try {
    await load.more(4);
    // The first institution has posted its partial results; the others are at it.
    const middle = under.next(({ step }) => step === 'evaluate');
    const running = served(runJob(researcher, job, under.dealt.schema, under.dealt.all, () => undefined));
    await Promise.race([middle, running]);
    await harm();
    await load.more(4);
    const { rows } = await running;
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.filter((row) => !agrees(row))).toEqual([]);
  } finally {
    await load.stop();
  }
  expect(load.failures).toEqual([]);
  for (const permissionId of load.announced) {
    const { permissionId: read } = await researcher.client.permissions.get({ permissionId });
    expect(read).toBe(permissionId);
  }
}

/** The same without the orderer that leads. */
async function survivesLeader(under: AllianceUnderTest, name: string): Promise<void> {
  let lost: Awaited<ReturnType<typeof lose>> | undefined;
  await survives(under, name, async () => {
    const leader = await leaderOf(under.dir, 'consortium');
    lost = await lose(under.dir, leader.name);
  });
  await lost?.release();
}

/* eslint-disable jest/no-disabled-tests, jest/expect-expect -- the title of the skipped test says why it did not run */
const found = findPrograms();
if ('missing' in found)
  it.skip('losing nodes: did not run, no Fabric binaries on PATH or in FABRIC_BIN_DIR', () => undefined);
else {
  describe('with three Raft orderers', () => {
    let under: AllianceUnderTest;
    beforeAll(async () => {
      under = await startAlliance(await portRange(PORTS), { orderers: 3 });
    }, LIMIT_MS);
    afterAll(() => under?.[Symbol.asyncDispose](), LIMIT_MS);

    it('survives the loss of the orderer that leads', () => survivesLeader(under, 'leader'), LIMIT_MS);

    it(
      'survives the death of the peer whose gateway it uses',
      () =>
        survives(under, 'gateway', async () => {
          const nodes = await nodesOf(under.dir);
          await kill(nodes.find(({ kind, mspId }) => kind === 'peer' && mspId === 'Hospital1MSP')?.pid);
        }),
      LIMIT_MS,
    );

    it.each(['consortium', 'records'])(
      'survives the death of a process of the chaincode %s',
      (chaincode) =>
        survives(under, chaincode, async () => {
          const { processes } = await daemonOf(under.dir);
          const victim = processes.find(
            ({ label, mspId }) => label.startsWith(chaincode) && mspId === 'Hospital2MSP',
          );
          await kill(victim?.pid);
        }),
      LIMIT_MS,
    );
  });

  const version = execFileSync(found.programs.peer, ['version'], { encoding: 'utf8' });
  if (/Version:\s*v?2\./.test(version))
    it.skip('losing a SmartBFT orderer: did not run, SmartBFT came with Fabric 3', () => undefined);
  else
    describe('with four SmartBFT orderers', () => {
      it(
        'survives the loss of the orderer that leads',
        async () => {
          await using under = await startAlliance(await portRange(PORTS), { consensus: 'bft' });
          await survivesLeader(under, 'bft');
        },
        LIMIT_MS,
      );
    });
}

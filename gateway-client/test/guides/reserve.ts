/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openKeys } from '../../src/agent/keys.js';
import { Vault } from '../../src/agent/vault.js';
import { openShares, sharePurpose, sharesOf } from '../../src/sealed-messages.js';
import { accessRequest, jobFile, resultShape, valueOf } from './asking.js';
import { trialTables, type HospitalShell, type Walk } from './walk.js';

/** Id of a job that all have done their part of but the third hospital, whose people are asked. */
async function waitingForThird(walk: Walk): Promise<string> {
  const waiting = await walk.until(walk.hospitals[2], 'inbox', /^job\/types-/);
  const jobId = /^job\/(\S+),/.exec(waiting)?.[1] ?? '';
  const { jobs } = walk.reading.institution();
  await walk.defined(async () => (await jobs.get({ jobId })).posted.length === 2 || undefined);
  return jobId;
}

/** Jobs that wait: one that is cancelled, and one in whose release the agent of a key holder dies. */
export function reserve(walk: Walk): void {
  const { shell, hospitals, researcher, agents } = walk;
  const [first, second, third] = hospitals;

  test('a job that waits for people is cancelled by who asked: exit code 4', async () => {
    // Nothing can be released before the third hospital's people have said yes.
    await walk.changePolicy(third, { jobs: 'ask' });
    const types = { id: 'types', kind: 'count', by: ['STYPE'] };
    await walk.write('types.yaml', jobFile('types', types, { id: 'age', kind: 'mean', variable: 'AGE' }));
    expect(await shell.done(researcher, 'query plan @types.yaml')).toMatch(
      /^ {2}error +counts exact; sums of scaled numbers: deviation at most \d\.\de-\d+$/m,
    );
    const running = shell.shell(researcher, 'query run @types.yaml');
    const jobId = await waitingForThird(walk);
    expect(await shell.done(researcher, `query status ${jobId}`)).toMatch(
      /^EVALUATING\n {2}waits for Hospital3MSP to compute, until 20\S+Z$/,
    );
    // No cell is kept back of a job that has released nothing.
    await walk.fails(
      researcher,
      `query result ${jobId}`,
      /no result yet: it is EVALUATING\. .* \(JOB_RUNNING\)$/,
    );
    const cancel = `query cancel ${jobId} --reason "Asked for too much"`;
    await walk.fails(first, cancel, /\(PROFILE_INVALID\)$/);
    expect(await shell.done(researcher, cancel)).toBe(`${jobId} is CANCELLED.`);
    const { code, out, err } = await running;
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toMatch(/^Job types-\w+ was cancelled\. \(JOB_FAILED\)$/m);
    await walk.fails(researcher, cancel, /\(CONTRACT_REFUSED\)$/);
    const ended = { code: 4, out: '', err: `Job ${jobId} was cancelled. (JOB_FAILED)` };
    expect(await shell.type(researcher, `query result ${jobId}`)).toEqual(ended);
    expect(await shell.done(researcher, `query status ${jobId}`)).toBe('CANCELLED\n  Asked for too much');
  });

  test('an agent in reserve finishes the job in whose middle the first one is killed', async () => {
    const inReserve = walk.serve(first);
    await inReserve.says('in reserve: another agent acts for this folder');
    const { jobs } = walk.reading.institution();
    const running = shell.shell(researcher, 'query run @types.yaml --json');
    const jobId = await waitingForThird(walk);
    // One of two holders is away: the other one's shares of the counts are as far as the job can come.
    expect(await agents[1]!.end('SIGTERM')).toBe(0);
    await shell.done(third, `approve job/${jobId}`);
    // An event that is not a job's has agents look at every job at once.
    await walk.write('access.yaml', await accessRequest('late-request'));
    await shell.done(researcher, 'access request @access.yaml');
    const sealed = await walk.defined(
      async () => (await jobs.shares({ jobId })).countShares['Hospital1MSP']?.sealed['Hospital2MSP'],
    );
    expect(await agents[0]!.end('SIGKILL')).toBe('SIGKILL');
    await inReserve.says('serving');
    walk.serve(second);

    const { code, out, err } = await running;
    expect({ code, err }).toMatchObject({ code: 0 });
    const result = resultShape.parse(JSON.parse(out));
    expect(result.jobId).toBe(jobId);
    const { value, deviation } = valueOf(result, 'mean');
    const { ages } = await trialTables();
    const meanAge = ages.reduce((sum, age) => sum + age, 0) / ages.length;
    expect(Math.abs(value - meanAge)).toBeLessThan(8 * deviation);
    walk.takenOver = jobId;

    // What the first process sealed to the second hospital is what the other one gave in the open.
    const job = await jobs.get({ jobId });
    const { sealing } = await openKeys(await vaultOf(second));
    const purpose = sharePurpose('count-shares', job, 'Hospital1MSP', 'Hospital2MSP');
    const before = await openShares(sealing, sealed, purpose);
    const after = sharesOf((await jobs.shares({ jobId })).opened['Hospital1MSP']!.shares);
    expect(after.size).toBeGreaterThan(3);
    for (const [cell, share] of after) expect([cell, share]).toEqual([cell, before.get(cell)]);
    // Whatever was charged was charged once, and has one share.
    const journal = await journalOf(first);
    for (const kind of ['charge', 'share']) {
      const ids = journal.filter((entry) => entry.kind === kind).map(({ id }) => id);
      expect(ids.length).toBeGreaterThan(before.size);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
}

const vaultOf = ({ STROKESHARE_AGENT: folder }: HospitalShell): Promise<Vault> =>
  Vault.open(join(folder, 'vault'), join(folder, 'vault.key'));

const entryShape = z.looseObject({ kind: z.string(), id: z.string().optional() });

/** The release journal of a hospital that holds one key. */
async function journalOf(hospital: HospitalShell): Promise<z.infer<typeof entryShape>[]> {
  const names = await readdir(join(hospital.STROKESHARE_AGENT, 'vault'));
  const [name = '', ...others] = names.filter((one) => one.startsWith('releases-'));
  expect(others).toEqual([]);
  const { entries } = await (await vaultOf(hospital)).openLog(name);
  return entries.map((entry) => entryShape.parse(JSON.parse(Buffer.from(entry).toString('utf8'))));
}

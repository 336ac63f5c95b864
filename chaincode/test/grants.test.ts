import { X509Certificate } from 'node:crypto';
import { blobHash, type Query } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import {
  batchColumnPath,
  batchMerkleRoot,
  consortium,
  rootOfColumn,
  type GrantClaim,
  type JobView,
} from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type Identity, identity } from './support/identities.js';

const meanAge: Query = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };
const MANIFEST = '0'.repeat(64);

const subjectOf = ({ certificate }: Identity): string =>
  new X509Certificate(certificate).subject.replaceAll('\n', ',');

describe('paths in batches', () => {
  const columns = Object.fromEntries(
    Array.from({ length: 13 }, (_, i) => [`C${i}`, String(i % 10).repeat(64)]),
  );

  it.each([1, 2, 3, 7, 8, 13])('lead from every column of %i to the root, and from nothing else', (size) => {
    const some = Object.fromEntries(Object.entries(columns).slice(0, size));
    const root = batchMerkleRoot(some);
    for (const [name, hash] of Object.entries(some)) {
      const path = batchColumnPath(some, name)!;
      expect(rootOfColumn(name, hash, path)).toBe(root);
      expect(rootOfColumn(name, 'f'.repeat(64), path)).not.toBe(root);
      expect(rootOfColumn(`${name}x`, hash, path)).not.toBe(root);
      const [first, ...rest] = path;
      if (!first) continue;
      expect(rootOfColumn(name, hash, rest)).not.toBe(root);
      const turned = `${first.startsWith('L') ? 'R' : 'L'}${first.slice(1)}`;
      expect(rootOfColumn(name, hash, [turned, ...rest])).not.toBe(root);
    }
    expect(batchColumnPath(some, 'absent')).toBeUndefined();
  });
});

describe('who may read which blob', () => {
  let alliance: Alliance;
  let job: JobView;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(40, 1), cohort(40, 2), cohort(40, 3)], 2);
    job = await alliance.submit('job-1', meanAge);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const reader = (index: number) => {
    const { mspId, agent } = alliance.member(index);
    return { mspId, subject: subjectOf(agent) };
  };
  const ask = async (who: { mspId: string; subject: string }, blob: string, claim: GrantClaim) => {
    const { granted, reason } = await alliance.ask(consortium.GrantContract.Check, { ...who, blob, claim });
    return granted ? 'GRANTED' : reason;
  };
  const researcher = () => ({ mspId: 'ResearchMSP', subject: subjectOf(alliance.researcher) });
  /** A column of one institution, with its place. */
  function column(index: number, name: string) {
    const { datasetId, columns } = alliance.member(index);
    const prefix = `column/${datasetId}/batch-1/`;
    const hashes = Object.fromEntries(
      [...columns]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, blob]) => [key.slice(prefix.length), blobHash(blob)]),
    );
    const place = { datasetId, batchId: 'batch-1', column: name, path: batchColumnPath(hashes, name)! };
    return { blob: hashes[name]!, place };
  }
  const under = (jobId: string): GrantClaim => ({ kind: 'job', jobId });

  it('lets members of an epoch read its messages, and every institution its public keys', async () => {
    const claim: GrantClaim = { kind: 'epoch', epochId: EPOCH };
    const { messages } = await alliance.ask(consortium.KeyEpochContract.Get, { epochId: EPOCH });
    const dealing = messages.dealing!['Hospital2MSP']!.bytesHash!;
    expect(await ask(reader(0), dealing, claim)).toBe('GRANTED');
    expect(await ask(reader(0), blobHash(alliance.relinKeys), claim)).toBe('GRANTED');
    expect(await ask(reader(0), 'a'.repeat(64), claim)).toBe('NOT_COVERED');
    expect(await ask(researcher(), dealing, claim)).toBe('NOT_ENTITLED');
    expect(await ask({ ...reader(0), mspId: 'Hospital9MSP' }, dealing, claim)).toBe('NOT_ENTITLED');
    expect(await ask(reader(0), dealing, { ...claim, epochId: 'other' })).toBe('NOT_FOUND');
  });

  it('binds an institution to the certificate subject of its agent, not to its organisation alone', async () => {
    const other = await identity('Hospital1MSP', 'visitor', 'institution');
    const claim: GrantClaim = { kind: 'epoch', epochId: EPOCH };
    const who = { mspId: 'Hospital1MSP', subject: subjectOf(other) };
    expect(await ask(who, blobHash(alliance.publicKey), claim)).toBe('NOT_ENTITLED');
  });

  it('gives holders the columns that a job multiplies, by a path to the root, and no others', async () => {
    const age = column(1, 'AGE');
    const job1 = (place: typeof age.place): GrantClaim =>
      ({ ...under('job-1'), column: place }) as GrantClaim;
    expect(await ask(reader(0), age.blob, job1(age.place))).toBe('GRANTED');
    expect(await ask(reader(0), column(1, '_row').blob, job1(column(1, '_row').place))).toBe('GRANTED');
    expect(await ask(reader(0), MANIFEST, under('job-1'))).toBe('GRANTED');
    const dead = column(1, 'DEAD=true');
    expect(await ask(reader(0), dead.blob, job1(dead.place))).toBe('NOT_COVERED');
    // The name of a column that is covered, with the blob and the path of one that is not.
    expect(await ask(reader(0), dead.blob, job1({ ...dead.place, column: 'AGE' }))).toBe('NOT_COVERED');
    expect(await ask(reader(0), age.blob, job1({ ...age.place, datasetId: 'ist-1' }))).toBe('NOT_COVERED');
    expect(await ask(researcher(), age.blob, job1(age.place))).toBe('NOT_ENTITLED');
  });

  it('gives the requester of a granted permission what it covers, and the owners too', async () => {
    const claim = (place?: ReturnType<typeof column>['place']): GrantClaim => ({
      kind: 'permission',
      permissionId: 'permission-1',
      ...(place && { column: place }),
    });
    const age = column(2, 'AGE');
    expect(await ask(researcher(), age.blob, claim(age.place))).toBe('GRANTED');
    expect(await ask(reader(1), MANIFEST, claim())).toBe('GRANTED');
    expect(await ask({ ...researcher(), subject: 'CN=mallory' }, age.blob, claim(age.place))).toBe(
      'NOT_ENTITLED',
    );
    const suspension = { agreementId: 'agreement-1', reason: 'The ethics committee asks for time.' };
    await alliance.as(alliance.member(1), consortium.AgreementContract.Suspend, suspension);
    expect(await ask(researcher(), age.blob, claim(age.place))).toBe('NOT_LIVE');
    await alliance.as(alliance.member(1), consortium.AgreementContract.Resume, {
      agreementId: 'agreement-1',
    });
    expect(await ask(researcher(), age.blob, claim(age.place))).toBe('GRANTED');
    // A permission that nobody has agreed to yet grants nothing.
    await alliance.request('open', { variables: ['AGE'] });
    const open: GrantClaim = { kind: 'permission', permissionId: 'permission-open', column: age.place };
    expect(await ask(researcher(), age.blob, open)).toBe('NOT_LIVE');
  });

  it('gives partials and aggregates to the job’s institutions while it is open', async () => {
    for (const member of alliance.institutions) await alliance.evaluate(job, member);
    const { partials } = await alliance.ask(consortium.JobContract.Partials, { jobId: 'job-1' });
    const partial = Object.values(partials['Hospital2MSP']!.partials)[0]!;
    expect(await ask(reader(0), partial, under('job-1'))).toBe('GRANTED');
    expect(await ask(researcher(), partial, under('job-1'))).toBe('NOT_ENTITLED');
    const { aggregates } = (await alliance.aggregate(job))!;
    expect(await ask(reader(1), Object.values(aggregates)[0]!.hash, under('job-1'))).toBe('GRANTED');

    // The committee is named: the third hospital holds no share of this job, so it replays nothing.
    expect((await alliance.get('job-1')).committee).toHaveLength(2);
    const age = column(1, 'AGE');
    const claim = { ...under('job-1'), column: age.place } as GrantClaim;
    expect(await ask(reader(0), age.blob, claim)).toBe('GRANTED');
    expect(await ask(reader(2), age.blob, claim)).toBe('NOT_COVERED');

    await alliance.ask(consortium.JobContract.Cancel, { jobId: 'job-1', reason: 'No longer needed.' });
    expect(await ask(reader(0), partial, under('job-1'))).toBe('NOT_LIVE');
    expect(await ask(reader(0), age.blob, claim)).toBe('NOT_LIVE');
  });

  it('takes an excluded institution’s grants at once, and a withdrawn dataset’s', async () => {
    const { jobId } = await alliance.submit('job-2', meanAge);
    const age = column(1, 'AGE');
    const claim = { ...under(jobId), column: age.place } as GrantClaim;
    expect(await ask(reader(2), age.blob, claim)).toBe('GRANTED');
    await alliance.as(alliance.member(0), consortium.InstitutionContract.Propose, {
      motionId: 'out-3',
      kind: 'exclude',
      mspId: 'Hospital3MSP',
      reason: 'It has closed.',
    });
    for (const index of [0, 1])
      await alliance.as(alliance.member(index), consortium.InstitutionContract.Vote, {
        motionId: 'out-3',
        approve: true,
      });
    await alliance.as(alliance.member(0), consortium.InstitutionContract.CloseMotion, { motionId: 'out-3' });
    expect(await ask(reader(2), age.blob, claim)).toBe('NOT_ENTITLED');
    await alliance.as(alliance.member(1), consortium.DatasetContract.Withdraw, {
      datasetId: 'ist-2',
      reason: 'A patient withdrew consent.',
    });
    expect(await ask(reader(0), age.blob, claim)).toBe('NOT_COVERED');
  });
});

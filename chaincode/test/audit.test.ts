import { type AnalysisQuery, canonicalJson } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { type AuditEntry, consortium, type ListAudit, provDocument } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';

const { AgreementContract, AuditContract, JobContract } = consortium;
const meanAge: AnalysisQuery = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };
const MINUTE = 60_000;

describe('the audit trail', () => {
  let alliance: Alliance;
  let began: number;
  let released: number;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(60, 1), cohort(60, 2)], 2);
    began = alliance.ledger.now += MINUTE;
    let job = await alliance.submit('job-1', meanAge);
    for (const member of alliance.institutions) await alliance.evaluate(job, member);
    await alliance.aggregate(job);
    job = await alliance.get('job-1');
    const shares = await alliance.judge(job, 20);
    await alliance.openCounts(job, shares, alliance.openCountCells(job));
    job = await alliance.as(alliance.member(0), JobContract.CloseCounts, { jobId: 'job-1' });
    await alliance.releaseValues(job);
    released = alliance.ledger.now += MINUTE;
    await alliance.as(alliance.member(1), JobContract.CloseRelease, { jobId: 'job-1' });
    alliance.ledger.now += MINUTE;
    await alliance.submit(
      'job-2',
      { ...meanAge, where: [{ variable: 'DEAD', level: 'true' }] },
      {
        purpose: 'DUO:0000006',
      },
    );
    await alliance.as(alliance.member(1), AgreementContract.Suspend, {
      agreementId: 'agreement-1',
      reason: 'A complaint is looked into.',
    });
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const list = async (query: ListAudit = {}): Promise<AuditEntry[]> =>
    (await alliance.ask(AuditContract.List, query)).items;
  const about = (subject: NonNullable<ListAudit['about']>['subject'], id: string, more: ListAudit = {}) =>
    list({ about: { subject, id }, ...more });

  it('says of every step of a job who decided what, when, and under which version of which agreement', async () => {
    const { digest } = await alliance.ask(AgreementContract.Get, { agreementId: 'agreement-1' });
    const entries = await about('job', 'job-1');
    expect(new Set(entries.map(({ transaction }) => transaction))).toEqual(
      new Set(
        [
          'Submit',
          'PostPartials',
          'Aggregate',
          'PostCountShares',
          'PostVerdict',
          'OpenCounts',
          'CloseCounts',
          'PostValueShares',
          'CloseRelease',
        ].map((name) => `JobContract:${name}`),
      ),
    );
    const agreement = { agreementId: 'agreement-1', version: 1, digest };
    for (const entry of entries)
      expect(entry).toMatchObject({ agreement, jobId: 'job-1', datasets: ['ist-1', 'ist-2'] });
    expect(entries.filter(({ kind }) => kind === 'RELEASE')).toEqual([
      expect.objectContaining({ transaction: 'JobContract:CloseCounts', released: 1, state: 'COUNTED' }),
      expect.objectContaining({
        transaction: 'JobContract:CloseRelease',
        released: 1,
        state: 'RELEASED',
        by: { mspId: 'Hospital2MSP', subject: 'CN=agent,OU=client' },
        at: new Date(released).toISOString(),
      }),
    ]);
    expect(entries.find(({ transaction }) => transaction === 'JobContract:Submit')).toMatchObject({
      kind: 'DECISION',
      step: 'submit',
      by: { mspId: 'ResearchMSP' },
    });
  });

  it('holds refusals with their rule, and changes of rights with their reason', async () => {
    expect(await about('job', 'job-2')).toEqual([
      expect.objectContaining({
        kind: 'REFUSAL',
        step: 'submit',
        refusal: expect.objectContaining({ rule: 'purpose', code: 'PURPOSE_NOT_COVERED' }),
      }),
    ]);
    expect((await about('agreement', 'agreement-1')).filter(({ kind }) => kind === 'CHANGE')).toEqual([
      expect.objectContaining({ transaction: 'AgreementContract:Propose', state: 'PROPOSED' }),
      expect.objectContaining({
        transaction: 'AgreementContract:Suspend',
        state: 'SUSPENDED',
        reason: 'A complaint is looked into.',
        by: { mspId: 'Hospital2MSP', subject: 'CN=agent,OU=client' },
      }),
    ]);
  });

  it('is found by dataset, researcher, institution and period, page by page in the order of time', async () => {
    const all = await list();
    expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort());
    const whose = (pick: (entry: AuditEntry) => boolean) => all.filter(pick).map(({ entryId }) => entryId);
    const ids = (entries: AuditEntry[]) => entries.map(({ entryId }) => entryId);
    expect(ids(await about('dataset', 'ist-2'))).toEqual(whose(({ datasets }) => datasets.includes('ist-2')));
    const { researcherId } = await alliance.ask(consortium.ResearcherContract.Get, {});
    expect(ids(await about('researcher', researcherId))).toEqual(
      whose((entry) => entry.researcherId === researcherId),
    );
    expect(ids(await about('institution', 'Hospital1MSP'))).toEqual(
      whose(({ institutions }) => institutions.includes('Hospital1MSP')),
    );
    expect(await about('dataset', 'ist-9')).toEqual([]);
    const from = new Date(began).toISOString();
    const until = new Date(released).toISOString();
    expect(ids(await about('institution', 'Hospital1MSP', { from, until }))).toEqual(
      whose(({ at, institutions }) => at >= from && at < until && institutions.includes('Hospital1MSP')),
    );
    const pages = async (query: ListAudit): Promise<string[]> => {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await alliance.ask(AuditContract.List, {
          ...query,
          limit: 4,
          ...(after !== undefined && { after }),
        });
        expect(page.items.length).toBeLessThanOrEqual(4);
        seen.push(...ids(page.items));
        after = page.next;
      } while (after !== undefined);
      return seen;
    };
    expect(await pages({ from })).toEqual(whose(({ at }) => at >= from));
    expect(await pages({ from, about: { subject: 'dataset', id: 'ist-1' } })).toEqual(
      whose(({ at, datasets }) => at >= from && datasets.includes('ist-1')),
    );
  });

  it('is found by dataset and owner under every version of every agreement, and not where they are not in it', async () => {
    const before = new Set((await list()).map(({ entryId }) => entryId));
    await alliance.request('wide');
    await alliance.propose('wide');
    await alliance.request('narrow');
    await alliance.as(alliance.member(0), AgreementContract.Propose, {
      permissionId: 'permission-narrow',
      agreementId: 'agreement-narrow',
      textHash: '1'.repeat(64),
      terms: '',
      grant: { datasets: ['ist-1'] },
    });
    await alliance.sign('narrow', alliance.member(0));
    await alliance.submit('job-3', meanAge, { agreementId: 'agreement-narrow' });
    const news = (await list()).filter(({ entryId }) => !before.has(entryId));
    const count = (pick: (entry: AuditEntry) => boolean): number => news.filter(pick).length;
    expect(count(({ jobId }) => jobId === 'job-3')).toBe(1);
    for (const id of ['ist-1', 'ist-2'])
      expect((await about('dataset', id)).filter(({ entryId }) => !before.has(entryId))).toEqual(
        news.filter(({ datasets }) => datasets.includes(id)),
      );
    for (const id of ['Hospital1MSP', 'Hospital2MSP', 'ResearchMSP'])
      expect((await about('institution', id)).filter(({ entryId }) => !before.has(entryId))).toEqual(
        news.filter(({ institutions }) => institutions.includes(id)),
      );
    expect(count(({ datasets }) => datasets.includes('ist-1') && !datasets.includes('ist-2'))).toBe(2);
  });

  it('is written in keys of each transaction’s own, and never beside a signature', async () => {
    await alliance.request('signed');
    await alliance.propose('signed');
    const writesOf = async (index: number) => {
      const { agent } = alliance.member(index);
      const request = { agreementId: 'agreement-signed', reason: 'No.' };
      const { writes } = await alliance.ledger.simulate(AgreementContract.Refuse, request, {
        identity: agent,
      });
      return [...writes.keys()];
    };
    const [first, second] = [await writesOf(0), await writesOf(1)];
    expect(first.some((key) => key.includes('audit.about'))).toBe(true);
    expect(first.filter((key) => second.includes(key))).toEqual([]);
  });

  it('gives a result’s lineage as PROV-JSON, the same every time, with nothing that leads nowhere', async () => {
    const read = () => alliance.ask(AuditContract.Lineage, { jobId: 'job-1' });
    const document = await read();
    expect(canonicalJson(await read())).toBe(canonicalJson(document));
    expect(provDocument.safeParse(document).success).toBe(true);
    const names = new Set(
      [document.entity, document.activity, document.agent].flatMap((part) => Object.keys(part)),
    );
    const { prefix: _p, entity: _e, activity: _a, agent: _g, ...relations } = document;
    const ends = Object.values(relations).flatMap((part) =>
      Object.values(part ?? {}).flatMap((relation) =>
        Object.entries(relation)
          .filter(([key]) => key !== 'prov:time')
          .map(([, end]) => end as string),
      ),
    );
    expect(ends.filter((end) => !names.has(end))).toEqual([]);

    // From the result back to every dataset, by derivations alone.
    const derived = Object.values(document.wasDerivedFrom ?? {});
    const origins = new Set(['ss:result/job-1']);
    for (const entity of origins)
      for (const relation of derived)
        if (relation['prov:generatedEntity'] === entity) origins.add(relation['prov:usedEntity']);
    expect([...origins]).toEqual(expect.arrayContaining(['ss:dataset/ist-1', 'ss:dataset/ist-2']));
    const { aggregates } = await alliance.ask(JobContract.Aggregates, { jobId: 'job-1' });
    const hashes = Object.values(document.entity).flatMap((entity) => entity['ss:sha256'] ?? []);
    expect(hashes.sort()).toEqual(
      Object.values(aggregates)
        .map(({ hash }) => hash)
        .sort(),
    );
    expect(Object.values(document.wasAssociatedWith ?? {})).toContainEqual({
      'prov:activity': 'ss:submission/job-1',
      'prov:agent': 'ss:researcher/ResearchMSP%2FCN%3Dalice%2COU%3Dclient',
      'prov:plan': 'ss:agreement/agreement-1/1',
    });
  });

  it('has the lineage of a job that was refused: its question, and no result', async () => {
    const { entity, activity } = await alliance.ask(AuditContract.Lineage, { jobId: 'job-2' });
    expect(Object.keys(entity)).toContain('ss:query/job-2');
    expect(Object.keys(activity)).toEqual(['ss:submission/job-2']);
  });
});

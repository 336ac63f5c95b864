/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { logisticAggregate, logisticRegression } from '../../src/statistics/index.js';
import { ALL_PATIENTS, HOSPITALS, PROJECT, trialTables, type Walk } from './walk.js';

/** The job file of a question under the agreement of this walk. */
export const jobFile = (name: string, ...statistics: object[]): object => ({
  ...{ name, title: `The question ${name}`, agreement: 'ist-outcomes', purpose: 'DUO:0000007' },
  query: { version: 1, statistics },
});

const measured = z.object({ value: z.number(), deviation: z.number() });
/** What `query result --json` prints, with what it rests on. */
export const resultShape = z.looseObject({
  jobId: z.string(),
  state: z.literal('RELEASED'),
  provenance: z.looseObject({
    peers: z.literal(2),
    agreement: z.looseObject({ signedBy: z.array(z.string()).length(HOSPITALS.length) }),
    datasets: z
      .array(z.looseObject({ batches: z.array(z.looseObject({ merkleRoot: z.string().length(64) })) }))
      .length(HOSPITALS.length),
    transactions: z.array(z.looseObject({ transaction: z.string(), transactionId: z.string().length(64) })),
  }),
  rows: z.array(z.looseObject({ quantity: z.string(), measured: measured.nullable() })),
});
/** A number of a result that was not kept back. */
export function valueOf({ rows }: z.infer<typeof resultShape>, wanted: string): z.infer<typeof measured> {
  return rows.find(({ quantity }) => quantity === wanted)!.measured!;
}

/** From a researcher's registration to a result. */
export function asking(walk: Walk): void {
  const { shell, hospitals, researcher } = walk;
  const [first, second, third] = hospitals;

  test('a researcher asks for access: an owner approves, one signs, and one agent does by its policy', async () => {
    const init = `init researcher ${walk.paths.researcher} --profiles @profiles`;
    expect(await shell.done({}, init)).toContain('Next: strokeshare researcher register');
    await walk.fails(researcher, 'researcher show', /\(CONTRACT_REFUSED\)$/);
    const register = 'researcher register --name "A. Lee" --affiliation "Stroke group"';
    const registered = await shell.done(researcher, register);
    walk.researcherId = /^(ResearchMSP\/.+) is registered: ACTIVE\.$/.exec(registered)?.[1] ?? '';
    const entry = z.looseObject({ researcherId: z.literal(walk.researcherId), name: z.literal('A. Lee') });
    await shell.json(researcher, 'researcher show', entry);
    expect(await shell.done(first, 'researcher list')).toContain(`${walk.researcherId}  ACTIVE  A. Lee`);

    await walk.write('access.yaml', await accessRequest('ist-outcomes-more'));
    await walk.fails(first, 'access request @access.yaml', /has the role institution; .* \(ROLE_DIFFERS\)$/);
    expect(await shell.done(researcher, 'access request @access.yaml')).toContain('is requested');
    const state = (text: string) => z.looseObject({ state: z.literal(text) });
    await shell.json(researcher, 'access show ist-outcomes-more', state('REQUESTED'));

    await walk.write('agreement.txt', 'Counts, and means of age.');
    await walk.write('other.txt', 'Another text.');
    const grant = 'access grant ist-outcomes-more --agreement ist-outcomes --text @agreement.txt';
    await walk.fails(researcher, grant, /\(ROLE_DIFFERS\)$/);
    expect(await shell.done(first, 'access list')).toContain(walk.researcherId);
    await walk.changePolicy(third, { purposes: ['DUO:0000007'] });
    expect(await shell.done(first, grant)).toContain('Hospital1MSP, Hospital2MSP, Hospital3MSP have to sign');
    expect(await shell.done(first, 'inbox')).toMatch(/^agreement\/ist-outcomes, asked by /);
    expect(await shell.done(first, 'approve agreement/ist-outcomes')).toMatch(/ is approved\.$/);
    expect(await shell.done(first, 'inbox')).toBe('Nothing waits.');
    expect(await shell.done(second, 'agreement sign ist-outcomes')).toContain('Hospital2MSP has signed');
    await walk.fails(second, 'agreement sign ist-outcomes', /\(NOT_WAITING\)$/);
    const show = 'agreement show ist-outcomes --text';
    await walk.until(researcher, `${show} @agreement.txt`, /version 1: ACTIVE/);
    await walk.fails(researcher, `${show} @other.txt`, /is another text\. \(RESULT_INVALID\)$/);
    await shell.json(researcher, 'access show ist-outcomes-more', state('GRANTED'));
  });

  test.each([
    ['again', 'agreement refuse again --reason "One is enough"'],
    ['third', 'refuse agreement/third --reason "Too long a period"'],
  ])('what one owner refuses is refused: the agreement "%s" by "%s"', async (name, refusal) => {
    await walk.write('access.yaml', await accessRequest(`${name}-request`));
    await shell.done(researcher, 'access request @access.yaml');
    const propose = `agreement propose ${name}-request --agreement ${name} --text @agreement.txt`;
    await shell.done(first, propose);
    expect(await shell.done(second, refusal)).toMatch(/refused/);
    expect(await shell.done(third, `agreement show ${name}`)).toMatch(/version 1: REFUSED/);
    expect(await shell.done(third, 'agreement list')).toMatch(new RegExp(`^${name} +1 `, 'm'));
  });

  test('a question, from its plan to its result in every format', async () => {
    const edges = [16, 60, 70, 80, 100];
    const bands = { id: 'bands', kind: 'quantiles', variable: 'AGEBAND', edges, probabilities: [0.5] };
    // A mistake that shows only in what is computed is told before anything is charged.
    await walk.write('wrong.yaml', jobFile('wrong', { ...bands, edges: edges.slice(1) }));
    for (const verb of ['plan', 'run'])
      await walk.fails(
        researcher,
        `query ${verb} @wrong.yaml`,
        /^bands has 4 edges: the 4 levels of its variable have 5\. \(JOB_FILE_INVALID\)$/,
      );
    await walk.write('job.yaml', jobFile('ages', { id: 'patients', kind: 'count' }, bands));
    const plan = await shell.done(researcher, 'query plan @job.yaml');
    for (const line of [
      /^ {2}depth +0 levels of multiplication, set additive$/m,
      /^ {2}work .* core for all institutions$/m,
      /^ {2}error +none: counts are exact$/m,
      /^ {2}releases +5 of 100 that the agreement has left$/m,
      /^ {2}privacy +no differential privacy agreed$/m,
      /^ {2}kept back +groups of fewer than 20$/m,
      /The agreement covers it\.$/,
    ])
      expect(plan).toMatch(line);

    const ran = await shell.type(researcher, 'query run @job.yaml --format md --out @result.md');
    expect(ran).toMatchObject({ code: 0, out: '', err: expect.stringMatching(/: RELEASED$/) });
    const jobId = /^(ages-\w+): SUBMITTED$/m.exec(ran.err)?.[1] ?? '';
    const markdown = await readFile(walk.path('result.md'), 'utf8');
    expect(markdown).toContain(`| patients | count |  | ${ALL_PATIENTS} |`);
    expect(markdown).toContain(`Job ${jobId} (RELEASED). Read from 2 peers, which agree.`);
    const watched = await shell.type(researcher, `query status ${jobId} --watch`);
    expect(watched).toEqual({ code: 0, out: 'RELEASED', err: `${jobId}: RELEASED` });

    const asked = `query result ${jobId} --job @job.yaml`;
    const result = await shell.json(researcher, `${asked} --json`, resultShape);
    expect(valueOf(result, 'count').value).toBe(ALL_PATIENTS);
    const { transactions, datasets } = result.provenance;
    expect(transactions[0]?.transaction).toBe('JobContract:Submit');
    expect(transactions.at(-1)?.transaction).toBe('JobContract:CloseRelease');
    const table = await shell.done(researcher, `${asked} --format table`);
    expect(table).toContain(datasets[0]!.batches[0]!.merkleRoot);
    expect(await shell.done(researcher, `${asked} --format csv`)).toMatch(
      new RegExp(`^statistic,quantity,group,value,error deviation,note\\npatients,count,,${ALL_PATIENTS},`),
    );
    const svg = await shell.done(researcher, `${asked} --format svg`);
    expect(svg).toMatch(/^<svg [^]*The question ages[^]*<\/svg>$/);
    expect(await shell.type(researcher, `${asked} --format pdf`)).toMatchObject({ code: 2, out: '' });
    // Without the job file there are cells, and nothing to draw.
    const bare = `query result ${jobId} --format svg`;
    await walk.fails(researcher, bare, /--job names the job file\. \(RESULT_INVALID\)$/);
    await walk.fails(first, asked, /\(PROFILE_INVALID\)$/);
  });

  test('a logistic regression is that of all patients together, and every iteration is a released job', async () => {
    const model = {
      ...{ name: 'infarct', title: 'Partial anterior infarct by age', agreement: 'ist-outcomes' },
      purpose: 'DUO:0000007',
      regression: { outcome: { variable: 'STYPE', level: 'PACS' }, numbers: ['AGE'] },
    };
    await walk.write('model.yaml', model);
    const { code, out, err } = await shell.type(researcher, 'query regress @model.yaml');
    expect({ code, err }).toEqual({
      code: 0,
      err: expect.stringMatching(/^(infarct-[\w-]+: RELEASED\n?)+$/),
    });
    const { ages, types } = await trialTables();
    const rows = ages.map((age, i) => ({ terms: [1, age], outcome: types[i] === 'PACS' }));
    const plain = await logisticRegression(['intercept', 'AGE'], async (at) => logisticAggregate(rows, at));
    const printed = out
      .split('\n')
      .slice(2, 4)
      .map((line) => line.split(/ {2,}/));
    plain.coefficients.forEach(({ term, estimate, standardError }, i) => {
      const [name, coefficient, error] = printed[i] ?? [];
      expect(name).toBe(term);
      expect(Math.abs(Number(coefficient) / estimate - 1)).toBeLessThan(1e-4);
      expect(Math.abs(Number(error) / standardError - 1)).toBeLessThan(1e-4);
    });
    expect(out).toContain(`${ALL_PATIENTS} patients; log-likelihood `);
    await walk.fails(researcher, 'query regress @job.yaml', /\(JOB_FILE_INVALID\)$/);
  });

  test('what an agreement does not cover ends with exit code 3, what is not understood with 2', async () => {
    await walk.write('pressure.yaml', jobFile('pressure', { id: 'mean', kind: 'mean', variable: 'RSBP' }));
    expect(await shell.done(researcher, 'query plan @pressure.yaml')).toContain(
      'The contract would refuse it: the agreement does not cover the variable RSBP.',
    );
    const [refused, wrong] = await Promise.all([
      shell.shell(researcher, 'query run @pressure.yaml'),
      shell.shell(researcher, 'query plan'),
    ]);
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(refused.err).toMatch(
      /^Job pressure-\w+ was refused: .* \(VARIABLE_NOT_COVERED\) \(JOB_REFUSED\)$/,
    );
    const [, jobId = ''] = /^Job (\S+)/.exec(refused.err) ?? [];
    const { code, err } = await shell.type(researcher, `query result ${jobId}`);
    expect({ code, err }).toEqual({ code: 3, err: refused.err });
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("missing required argument 'job'") });
  });
}

/** The example's request, over the datasets and in the days of this walk. */
export async function accessRequest(permissionId: string): Promise<object> {
  const example = await readFile(join(PROJECT, 'examples', 'access', 'ist-outcomes.yaml'), 'utf8');
  return {
    ...(parse(example) as object),
    permissionId,
    datasets: HOSPITALS.map(({ datasetId }) => datasetId),
    variables: ['AGE', 'STYPE', 'AGEBAND'],
    statistics: ['count', 'mean', 'logistic'],
    from: new Date(Date.now() - 60_000),
    until: new Date(Date.now() + 30 * 86_400_000),
  };
}

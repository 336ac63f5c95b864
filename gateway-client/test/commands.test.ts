/**
 * The command line and the numbered examples as users run them, against one running alliance: an embedded network, real
 * contracts, and the hospitals' agents.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { z } from 'zod';
import { portRange } from '../../network/test/support/ports.js';
import { program } from '../src/cli.js';
import { untilDefined } from '../src/connect/index.js';
import { openAlliance, type Alliance } from '../src/demo/alliance.js';
import { hospitalsOf } from '../src/demo/consortium.js';
import { removeDemo } from '../src/demo/down.js';
import { dealTrial } from '../src/demo/records.js';
import { agentFolder, deployContracts, ownNetwork, startNetwork } from '../src/demo/setup.js';
import { enrollAll, makeKey, publishAll } from '../src/demo/sharing.js';
import { demoPaths, type DemoPaths } from '../src/demo/state.js';
import { Resources } from '../src/resources.js';

const run = promisify(execFile);
const PROJECT = join(__dirname, '..', '..');
const EXAMPLES = join(PROJECT, 'examples', 'client');
const LIMIT_MS = 10 * 60 * 1000;
/** Of each hospital: one batch. */
const PATIENTS = 200;
const PORTS = 60;
const HOSPITALS = hospitalsOf(3);
const WAITING = 'Hospital3MSP';

jest.setTimeout(LIMIT_MS);
const { signal } = new AbortController();
const resources = new Resources();
let paths: DemoPaths;
let alliance: Alliance;
let researcher: string;
let agent: string;
/** The job that an example ran. */
let jobId: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strokeshare-commands-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  paths = demoPaths(join(folder, 'demo'));
  resources.defer(() => removeDemo(paths));
  const whole = await dealTrial(join(PROJECT, 'data'), HOSPITALS.length);
  const hospitals = whole.hospitals.map((records) => records.slice(0, PATIENTS));
  const basePort = await portRange(PORTS);
  await startNetwork(paths, { basePort, backend: 'embedded', hospitals: HOSPITALS }, signal, () => undefined);
  await deployContracts(paths, signal, () => undefined, HOSPITALS);
  const network = ownNetwork(paths, HOSPITALS);
  alliance = await openAlliance(paths, network, resources, signal);
  await enrollAll(network.hospitals, alliance.agents, alliance.researcher);
  alliance.serve();
  // Means need no products, so that the small set serves.
  await alliance.served(makeKey(alliance.agents, 'additive'));
  const dealt = { ...whole, hospitals, all: hospitals.flat() };
  await alliance.served(publishAll(network.hospitals, alliance.agents, dealt, () => undefined));
  researcher = join(paths.researcher, 'researcher.json');
  agent = agentFolder(paths, WAITING);
  // This hospital signs nothing by itself.
  const policy = join(agent, 'policy.yaml');
  await writeFile(policy, (await readFile(policy, 'utf8')).replace(/releaseBudget: \d+/, 'releaseBudget: 1'));
}, LIMIT_MS);
afterAll(() => resources[Symbol.asyncDispose](), LIMIT_MS);

/** Runs a command and gives what it printed. */
async function strokeshare(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const log = jest
    .spyOn(console, 'log')
    .mockImplementation((text: unknown) => void printed.push(String(text)));
  try {
    await program(signal).parseAsync(args, { from: 'user' });
  } finally {
    log.mockRestore();
  }
  return printed.join('\n');
}
const parsed = async <T>(shape: z.ZodType<T>, ...args: string[]): Promise<T> =>
  shape.parse(JSON.parse(await strokeshare(...args)));

/** Runs numbered examples in their order, in a process of their own. */
async function examples(from: number, to: number): Promise<string> {
  const files = (await readdir(EXAMPLES)).filter((name) => {
    const number = Number(/^(\d\d)-.*\.ts$/.exec(name)?.[1]);
    return number >= from && number <= to;
  });
  const imports = files
    .sort()
    .map((name) => `await import(${JSON.stringify(pathToFileURL(join(EXAMPLES, name)).href)});`);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', imports.join('\n')], {
    env: { ...process.env, STROKESHARE_DEMO: paths.root, NODE_OPTIONS: '' },
    cwd: PROJECT,
  });
  return stdout;
}

test('asking, signing with a person in between, running, following and auditing', async () => {
  expect(await examples(1, 2)).toContain('examples-request: REQUESTED, for AGE, STYPE');

  // The example waits for the signatures, one of which waits for a person.
  const signed = examples(3, 3);
  const items = z.array(z.object({ name: z.string(), reasons: z.array(z.string()) }));
  const waiting = await untilDefined(alliance.researcher.events, signal, async () => {
    const found = await parsed(items, 'inbox', '--agent', agent, '--json');
    return found.length > 0 ? found : undefined;
  });
  expect(waiting).toEqual([
    { name: 'agreement/examples', reasons: ['50 cells may be released, more than 1'] },
  ]);
  expect(await strokeshare('approve', 'agreement/examples', '--agent', agent)).toBe(
    'agreement/examples is approved.',
  );
  expect(await signed).toContain(`${WAITING} signed at`);
  expect(await strokeshare('inbox', '--agent', agent)).toBe('Nothing waits.');

  const rest = await examples(4, 7);
  jobId = /^(\S+): RELEASED$/m.exec(rest)?.[1] ?? '';
  expect(rest).toContain(`count: ${HOSPITALS.length * PATIENTS}`);
  expect(rest).toContain('read from 2 peers');
  expect(rest).toContain('to be signed: ');
  expect(rest).toContain('RELEASE  JobContract:CloseRelease');
});

test('a job from its plan to its result in every format, with what it rests on', async () => {
  const job = join(paths.root, 'job.yaml');
  await writeFile(
    job,
    [
      ...['name: ages', 'title: Age by stroke subtype', 'agreement: examples', 'purpose: DUO:0000007'],
      ...['query:', '  version: 1', '  statistics: [{ id: age, kind: mean, variable: AGE }]'],
    ].join('\n'),
  );
  const profile = ['--profile', researcher];
  expect(await strokeshare('query', 'plan', job, ...profile)).toContain('The agreement covers it.');
  const quiet = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const jobShape = z.object({
    jobId: z.literal(jobId),
    state: z.literal('RELEASED'),
    provenance: z.object({
      peers: z.literal(2),
      agreement: z.object({
        agreementId: z.literal('examples'),
        signedBy: z.array(z.string()).length(HOSPITALS.length),
      }),
      datasets: z
        .array(z.object({ batches: z.array(z.object({ merkleRoot: z.string().length(64) })) }))
        .length(HOSPITALS.length),
      transactions: z.array(z.object({ transaction: z.string(), transactionId: z.string().length(64) })),
    }),
    rows: z.array(z.object({ quantity: z.string(), measured: z.object({ value: z.number() }) })),
  });
  expect(await strokeshare('query', 'status', jobId, '--watch', ...profile)).toBe('RELEASED');
  quiet.mockRestore();
  const asked = ['query', 'result', jobId, '--job', job, ...profile];
  const { rows, provenance } = await parsed(jobShape, ...asked, '--json');
  expect(rows.find(({ quantity }) => quantity === 'count')?.measured.value).toBe(HOSPITALS.length * PATIENTS);
  const named = provenance.transactions.map(({ transaction }) => transaction);
  expect(named[0]).toBe('JobContract:Submit');
  expect(named.at(-1)).toBe('JobContract:CloseRelease');

  const result = (...more: string[]) => strokeshare(...asked, ...more);
  expect(await result('--format', 'csv')).toMatch(
    /^statistic,quantity,group,value,error deviation,note\nage,count,,600,/,
  );
  const markdown = await result('--format', 'md');
  expect(markdown).toContain('| age | count |  | 600 |');
  expect(markdown).toContain(`Job ${jobId} (RELEASED). Read from 2 peers, which agree.`);
  // A mean has no picture.
  await expect(result('--format', 'svg')).rejects.toMatchObject({ code: 'RESULT_INVALID' });
  const [first] = provenance.datasets;
  expect(await result()).toContain(first!.batches[0]!.merkleRoot);
});

test('institutions, researchers, access and agreements, to read and to change', async () => {
  const [asResearcher, asInstitution] = [
    ['--profile', researcher],
    ['--profile', join(agent, 'agent.json')],
  ];
  expect(await strokeshare('institution', 'list', ...asResearcher)).toMatch(
    /Hospital1MSP +municipal +ACTIVE/,
  );
  expect(await strokeshare('researcher', 'list', ...asInstitution)).toMatch(/ResearchMSP\/.* ACTIVE/);
  const grant = z.object({ permissionId: z.string(), state: z.literal('GRANTED') });
  await parsed(grant, 'access', 'show', 'examples-request', ...asResearcher);
  const text = join(paths.root, 'agreement.txt');
  await writeFile(text, 'Another text.');
  const verify = ['agreement', 'show', 'examples', ...asResearcher];
  expect(await strokeshare(...verify)).toContain('Hospital3MSP signed at');
  await expect(strokeshare(...verify, '--text', text)).rejects.toMatchObject({ code: 'RESULT_INVALID' });

  await expect(
    strokeshare('access', 'suspend', 'examples-request', '--reason', 'Review', ...asResearcher),
  ).rejects.toMatchObject({ code: 'ROLE_DIFFERS' });
  expect(
    await strokeshare('access', 'suspend', 'examples-request', '--reason', 'Review', ...asInstitution),
  ).toBe('examples-request is suspended; its state is SUSPENDED.');
  expect(await strokeshare('agreement', 'resume', 'examples', ...asInstitution)).toBe('examples is ACTIVE.');

  const motion = ['admit', 'Hospital5MSP', '--motion', 'five', '--level', 'county', '--reason', 'Joins'];
  expect(await strokeshare('institution', 'propose', ...motion, ...asInstitution)).toContain('five is OPEN');
  expect(await strokeshare('institution', 'vote', 'five', '--approve', ...asInstitution)).toContain(
    '1 of 1 votes approve',
  );
  expect(await strokeshare('institution', 'motions', ...asResearcher)).toContain('admit Hospital5MSP');
  expect(
    await strokeshare('access', 'revoke', 'examples-request', '--reason', 'Done', ...asInstitution),
  ).toContain('its state is REVOKED');
});

/** A walk through the guides: a network that waits for its users, and everybody's shell. */
import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { exportProfiles, up } from '@strokeshare/network';
import { parse, stringify } from 'yaml';
import { portRange } from '../../../network/test/support/ports.js';
import { writePrivateFile } from '../../src/agent/durable-file.js';
import { storeFolderOf } from '../../src/agent/open.js';
import { connect, untilDefined, type Connection } from '../../src/connect/index.js';
import { demoNetwork, hospitalsOf, RESEARCH } from '../../src/demo/consortium.js';
import { removeDemo } from '../../src/demo/down.js';
import { agentFolder, deployContracts } from '../../src/demo/setup.js';
import { demoPaths, type DemoPaths } from '../../src/demo/state.js';
import { Resources } from '../../src/resources.js';
import { CommandLine, type AgentProcess, type Who } from './commandLine.js';

export const PROJECT = join(__dirname, '..', '..', '..');
export const HOSPITALS = hospitalsOf(3);
/** Of each hospital: one batch. */
export const PATIENTS = 300;
export const ALL_PATIENTS = HOSPITALS.length * PATIENTS;
const PORTS = 60;

/** The shell of a hospital. */
export type HospitalShell = Required<Who>;

/** What the walkers share; every chapter goes on where the one before it ended. */
export class Walk implements AsyncDisposable {
  readonly paths: DemoPaths;
  readonly shell: CommandLine;
  readonly hospitals: [HospitalShell, HospitalShell, HospitalShell];
  readonly researcher: Who;
  readonly operator: Who;
  /** The hospitals' agents, each a process. */
  readonly agents: AgentProcess[] = [];
  /** Id of the researcher, and of the job that a second agent ended. */
  researcherId = '';
  takenOver = '';
  /** A connection of the first hospital, whose events say when to look again. */
  reading!: Connection;
  readonly signal = new AbortController().signal;
  readonly resources = new Resources();

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'strokeshare-commands-'));
    this.resources.defer(() => rm(folder, { recursive: true, force: true }));
    this.paths = demoPaths(join(folder, 'demo'));

    this.shell = new CommandLine(this.paths.root, this.signal);
    const shellOf = (number: number): HospitalShell => {
      const agent = agentFolder(this.paths, `Hospital${number}MSP`);
      return { STROKESHARE_AGENT: agent, STROKESHARE_PROFILE: join(agent, 'agent.json') };
    };
    this.hospitals = [shellOf(1), shellOf(2), shellOf(3)];
    this.researcher = { STROKESHARE_PROFILE: join(this.paths.researcher, 'researcher.json') };
    this.operator = { STROKESHARE_PROFILE: this.path('operator/profile.json') };
  }

  /** Starts nodes and contracts, and writes the folder that operators hand out. */
  async start(): Promise<void> {
    const { paths, resources, signal } = this;
    resources.defer(() => removeDemo(paths));
    resources.use(this.shell);
    const config = demoNetwork(paths.network, await portRange(PORTS), 'embedded', HOSPITALS);
    const operator = { name: 'Operator1', attributes: { 'strokeshare.role': 'operator' } };
    const organizations = config.organizations.map((one) =>
      one.mspId === RESEARCH.mspId ? { ...one, users: [...(one.users ?? []), operator] } : one,
    );
    await up({ ...config, organizations });
    await deployContracts(paths, signal, () => undefined, HOSPITALS);
    exportProfiles(paths.network, this.path('profiles'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resources[Symbol.asyncDispose]();
  }

  path(name: string): string {
    return join(this.paths.root, name);
  }

  write(name: string, content: string | object): Promise<void> {
    return writeFile(this.path(name), typeof content === 'string' ? content : stringify(content));
  }

  /** Starts an agent. */
  serve({ STROKESHARE_AGENT: folder }: HospitalShell, options = ''): AgentProcess {
    return this.shell.agent(`agent ${folder}${options}`);
  }

  /** Opens what {@link until} and chapters read the ledger by. */
  async read(): Promise<void> {
    this.reading = this.resources.use(await connect(this.hospitals[0].STROKESHARE_PROFILE));
  }

  /** Asks at once and after every event. */
  defined<T>(ask: () => Promise<T | undefined>): Promise<T> {
    return untilDefined(this.reading.events(), this.signal, ask);
  }

  /** Waits until a command prints what is expected. */
  until(who: Who, line: string, expected: RegExp): Promise<string> {
    return this.defined(async () => {
      const out = await this.shell.done(who, line);
      return expected.test(out) ? out : undefined;
    });
  }

  /** Types a line that has to fail with exit code 1, one sentence on standard error and nothing else. */
  async fails(who: Who, line: string, sentence: RegExp): Promise<void> {
    const typed = await this.shell.type(who, line);
    expect({ line, ...typed }).toEqual({ line, code: 1, out: '', err: expect.stringMatching(sentence) });
    expect(typed.err.split('\n')).toHaveLength(1);
  }

  /** Enters where the other hospitals' ciphertexts are: without storage nodes, in the folders of their agents. */
  async enterStores({ STROKESHARE_PROFILE: path }: HospitalShell): Promise<void> {
    const config = JSON.parse(await readFile(path, 'utf8')) as {
      storage: { folders: Record<string, string> };
    };
    for (const mspId of Object.keys(config.storage.folders))
      config.storage.folders[mspId] = storeFolderOf(agentFolder(this.paths, mspId));
    await writeFile(path, JSON.stringify(config));
  }

  /** Changes a hospital's policy, as a person does in an editor. */
  async changePolicy({ STROKESHARE_AGENT: agent }: HospitalShell, changes: object): Promise<void> {
    const path = join(agent, 'policy.yaml');
    const policy = parse(await readFile(path, 'utf8')) as object;
    // In one step: the agent may read it at any moment.
    await writePrivateFile(path, stringify({ ...policy, ...changes }));
  }
}

/** Patients of the International Stroke Trial by hospital, each a row behind the hospital's own case number. */
export async function trialTables(): Promise<{ tables: string[]; ages: number[]; types: string[] }> {
  const packed = await readFile(join(PROJECT, 'data', 'IST_corrected.csv.gz'));
  const [head = '', ...rows] = gunzipSync(packed).toString('latin1').split(/\r?\n/);
  const column = (name: string): string[] => {
    const place = head.split(',').indexOf(name);
    return used.map((row) => row.split(',')[place] ?? '');
  };
  const used = rows.slice(0, ALL_PATIENTS);
  const tables = HOSPITALS.map((_, i) => {
    const own = used.slice(i * PATIENTS, (i + 1) * PATIENTS);
    return [`CASE,${head}`, ...own.map((row, n) => `${n},${row}`)].join('\n');
  });
  return { tables, ages: column('AGE').map(Number), types: column('STYPE') };
}

/** The dataset file that the guide shows, of another hospital and with a smaller schema. */
export async function datasetFile(number: number): Promise<object> {
  const guide = await readFile(join(PROJECT, 'docs', 'datasets.md'), 'utf8');
  const shown = parse(/^```yaml\n([^]*?)^```$/m.exec(guide)?.[1] ?? '') as object;
  const own = { id: `ist-hospital${number}`, schema: 'schema.json', mapping: 'mapping.yaml' };
  return { ...shown, ...own };
}

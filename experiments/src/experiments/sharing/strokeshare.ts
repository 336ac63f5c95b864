import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectionProfile,
  openResearcher,
  openResult,
  readJobFile,
  type Researcher,
  resultRows,
  submitJob,
  waitForJob,
} from '@strokeshare/gateway-client';
import {
  demoPaths,
  type DemoReport,
  findDemo,
  removeDemo,
  runDemo,
} from '@strokeshare/gateway-client/dist/demo/index.js';
import { freePortRange } from '@strokeshare/network';
import { ROOT } from '../../report.js';
import { CountingProxy } from './counting-proxy.js';
import type { Groups } from './central.js';

/** Peers, orderer and ten chaincode processes. */
const PORTS = 80;
/** Deviations of the flooding noise that a mean may be off. */
const DEVIATIONS = 8;

/** The demo's alliance of four hospitals, kept running, and its researcher behind proxies that count. */
export class Alliance implements AsyncDisposable {
  private constructor(
    readonly report: DemoReport,
    private readonly folder: string,
    private readonly profile: string,
    private readonly proxies: readonly CountingProxy[],
  ) {}

  static async start(progress: (line: string) => void): Promise<Alliance> {
    const folder = mkdtempSync(join(tmpdir(), 'sharing-'));
    const root = join(folder, 'demo');
    const report = await runDemo({
      project: ROOT,
      folder: root,
      out: join(folder, 'out'),
      basePort: await freePortRange(PORTS),
      keep: true,
      signal: new AbortController().signal,
      progress: process.stderr,
      print: () => undefined,
    });
    progress('the alliance is up');
    const path = join(demoPaths(root).researcher, 'researcher.json');
    const { profiles } = JSON.parse(readFileSync(path, 'utf8')) as { profiles: ConnectionProfile[] };
    const proxies: CountingProxy[] = [];
    for (const { peerEndpoint } of profiles) proxies.push(await CountingProxy.to(peerEndpoint));
    const counted = profiles.map((profile, i) => ({
      ...profile,
      peerEndpoint: `127.0.0.1:${proxies[i]?.port ?? 0}`,
    }));
    const copy = join(demoPaths(root).researcher, 'counted.json');
    writeFileSync(copy, JSON.stringify({ profiles: counted }));
    return new Alliance(report, folder, copy, proxies);
  }

  connect(): Promise<Researcher> {
    return openResearcher(this.profile, AbortSignal.timeout(600_000));
  }

  /** Bytes between the researcher and all peers since the last call. */
  takeBytes(): number {
    return this.proxies.reduce((sum, proxy) => sum + proxy.take(), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.proxies) await proxy[Symbol.asyncDispose]();
    const paths = demoPaths(join(this.folder, 'demo'));
    // The demo is this process' own, so that nobody else is in the way of its removal.
    const found = await findDemo(paths);
    await removeDemo(paths, 'state' in found ? found.state : undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Asks for the mean age by stroke subtype, from the job's submission to its opened result. */
export async function meanAge(researcher: Researcher): Promise<{ groups: Groups; tolerance: number }> {
  const file = await readJobFile(join(ROOT, 'examples', 'jobs', 'age-by-stroke-subtype.yaml'));
  const { jobId } = await submitJob(researcher, file);
  await waitForJob(researcher, jobId, () => undefined);
  const rows = resultRows(await openResult(researcher, jobId)).filter(({ statistic }) => statistic === 'age');
  const groups = rows
    .filter(({ quantity }) => quantity === 'mean')
    .map(({ labels, measured }) => {
      const level = labels['STYPE'] ?? '';
      const count = rows.find((row) => row.quantity === 'count' && row.labels['STYPE'] === level);
      return { level, count: count?.measured?.value ?? NaN, mean: measured?.value ?? NaN };
    });
  const deviations = rows.map(({ measured }) => measured?.deviation ?? 0);
  return { groups, tolerance: DEVIATIONS * Math.max(...deviations) };
}

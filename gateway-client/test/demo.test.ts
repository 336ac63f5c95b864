/** The main job, end to end, as a user runs it: real processes, real gRPC, real ciphertexts. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { z } from 'zod';
import { runDemo, type DemoOptions } from '../src/demo/index.js';
import { portRange } from '../../network/test/support/ports.js';

const PROJECT = join(__dirname, '..', '..');
const LIMIT_MS = 10 * 60 * 1000;
/** The demo's, with those of its storage nodes. */
const PORTS = 1000;

const reportShape = z.strictObject({
  ok: z.boolean(),
  stages: z.array(z.strictObject({ name: z.string(), seconds: z.number().positive() })),
  jobs: z.array(
    z.strictObject({
      name: z.string(),
      rows: z.array(
        z.strictObject({
          label: z.string(),
          encrypted: z.number(),
          plain: z.number(),
          tolerance: z.number().nonnegative(),
          published: z.number().optional(),
        }),
      ),
    }),
  ),
});

let folder: string;
let basePort: number;
let printed: string[];
let options: DemoOptions;
beforeAll(async () => {
  basePort = await portRange(PORTS);
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-main-'));
  printed = [];
  const progress: Writable = new PassThrough().resume();
  options = {
    project: PROJECT,
    folder: join(folder, 'demo'),
    out: join(folder, 'out'),
    basePort,
    signal: new AbortController().signal,
    progress: progress as NodeJS.WriteStream,
    print: (text) => printed.push(text),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test(
  'three encrypted jobs agree with the plain computation, and an uncovered one is refused',
  async () => {
    const running = runDemo(options);
    // A second demo beside it is told so, whenever it comes.
    const second = new Promise((resolve, reject) => {
      const look = setInterval(() => {
        if (!existsSync(join(folder, 'demo', 'demo.json'))) return;
        clearInterval(look);
        runDemo(options).then(reject, resolve);
      }, 50);
      running.catch(() => clearInterval(look));
    });
    await expect(second).resolves.toMatchObject({ code: 'DEMO_RUNNING' });

    const report = await running;
    expect(report.ok).toBe(true);
    const written = reportShape.parse(JSON.parse(await readFile(join(folder, 'out', 'report.json'), 'utf8')));
    expect(written).toEqual(report);
    const [age, aspirin, pressure] = written.jobs;
    expect(age?.rows).toHaveLength(11);
    expect(aspirin?.rows).toHaveLength(11);
    expect(pressure?.rows).toHaveLength(9);
    const counts = written.jobs.flatMap(({ rows }) =>
      rows.filter(({ label }) => label.startsWith('patients')),
    );
    expect(counts.every(({ encrypted, plain, tolerance }) => encrypted === plain && tolerance === 0)).toBe(
      true,
    );
    expect(age?.rows[0]).toEqual({
      label: 'patients',
      encrypted: 19_435,
      plain: 19_435,
      tolerance: 0,
      published: 19_435,
    });
    const ratio = aspirin?.rows.find(({ label }) => label === 'odds ratio');
    expect(ratio?.encrypted).toBeCloseTo(0.9547423096740054, 12);

    const markdown = await readFile(join(folder, 'out', 'report.md'), 'utf8');
    expect(markdown).toContain('REFUSED, VARIABLE_NOT_COVERED');
    expect(markdown).toContain('Contains information from the International Stroke Trial database');
    expect(printed.join('\n')).toContain('stated error');
    // Everything that it made besides the report is gone.
    expect(existsSync(join(folder, 'demo'))).toBe(false);
  },
  LIMIT_MS,
);

test('a port that is taken is named, and nothing is left', async () => {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(basePort + 2, '127.0.0.1', resolve));
  try {
    await expect(runDemo(options)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(basePort + 2)),
    });
    expect(existsSync(join(folder, 'demo'))).toBe(false);
  } finally {
    server.close();
  }
});

test('an interrupted demo leaves nothing', async () => {
  const controller = new AbortController();
  const progress = new PassThrough();
  // As soon as the network is up and the contracts are being deployed.
  progress.on('data', (line: Buffer) => {
    if (line.toString().startsWith('start the network')) controller.abort();
  });
  const interrupted = {
    ...options,
    signal: controller.signal,
    progress: progress as unknown as NodeJS.WriteStream,
  };
  await expect(runDemo(interrupted)).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(existsSync(join(folder, 'demo'))).toBe(false);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryOf } from '../memory.js';
import { ROOT, row, type BenchRow } from '../report.js';
import type { Bench } from './index.js';

const BUDGET_SECONDS = 180;
const BUDGET_GIB = 4;
const SAMPLE_MS = 500;

/**
 * The main job from an installed tree: wall time of the whole and of every stage, and the largest memory of all its
 * processes together. The peer is the project's budget: 3 minutes and 4 GiB on two cores.
 */
export const demoBench: Bench = {
  summary: 'wall time and memory of the main job, against the budget',
  run: async (progress) => {
    const marker = `STROKESHARE_BENCH=${process.pid}`;
    const [key = '', value = ''] = marker.split('=');
    const started = performance.now();
    const child = spawn('./test-network.sh', ['demo'], {
      cwd: ROOT,
      env: { ...process.env, [key]: value },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    let peak = 0;
    const sampler = setInterval(() => {
      void memoryOf(marker).then((bytes) => {
        peak = Math.max(peak, bytes);
      });
    }, SAMPLE_MS);
    const [code] = (await once(child, 'exit')) as [number | null];
    clearInterval(sampler);
    const seconds = (performance.now() - started) / 1000;
    if (code !== 0)
      throw new Error(`The demo ended with exit code ${String(code)}; there is nothing to measure.`);
    progress(`demo: ${seconds.toFixed(1)} s`);
    const stages = await stagesOfLastRun();
    return [
      row('demo wall time', 's', seconds, BUDGET_SECONDS, 'budget'),
      row('demo peak memory', 'GiB', peak / 2 ** 30, BUDGET_GIB, 'budget'),
      ...stages.map((stage) =>
        row(`stage ${stage.name}`, 's', stage.seconds, null, 'no peer: part of the whole'),
      ),
    ] satisfies BenchRow[];
  },
};

async function stagesOfLastRun(): Promise<{ name: string; seconds: number }[]> {
  const report = JSON.parse(await readFile(join(ROOT, 'out', 'demo', 'report.json'), 'utf8')) as {
    stages: { name: string; seconds: number }[];
  };
  return report.stages;
}

import { loadavg } from 'node:os';
import { join } from 'node:path';
import { NetworkError } from '@strokeshare/network';
import { csv, writeText } from '../output/csv.js';
import { svgOf } from '../output/figure.js';
import { machine, ROOT } from '../report.js';
import type { SealingOptions } from '../sealing/network.js';
import type { Experiment } from './index.js';
import { partsFigure, rateFigure, timeFigure } from './nodes/figures.js';
import { type Measurement, measureNetwork } from './nodes/measure.js';
import { reading } from './nodes/reading.js';
import { medians, series } from './nodes/rows.js';
import { simulate } from './nodes/simulated.js';

const EMBEDDED = [1, 2, 4, 8, 16];
const NATIVE = [1, 2, 4, 8];

type Progress = (line: string) => void;

/** `npm run experiment -- nodes [most institutions]`: a smaller run for a smaller number. */
export const nodesExperiment: Experiment = {
  summary: 'time and throughput of sharing as institutions grow, with and without proof of work',
  async run(progress) {
    const most = Number(process.argv[3] ?? Math.max(...EMBEDDED));
    const before = loadavg()[0] ?? 0;
    const { measurements, skipped } = await measureAll(most, progress);
    const load = [before, loadavg()[0] ?? 0] as const;
    const rows = medians(measurements);
    const simulated = simulate(rows);
    const folder = join(ROOT, 'out', 'experiments', 'nodes');
    await writeText(join(folder, 'repetitions.csv'), csv(measurements));
    await writeText(join(folder, 'medians.csv'), csv(rows));
    await writeText(join(folder, 'simulated.csv'), csv(simulated));
    await writeText(join(folder, 'time.svg'), await svgOf(timeFigure(rows, simulated)));
    await writeText(join(folder, 'throughput.svg'), await svgOf(rateFigure(rows)));
    await writeText(join(folder, 'parts.svg'), await svgOf(partsFigure(rows)));
    await writeText(join(folder, 'reading.md'), reading(rows, simulated, skipped, { ...machine(), load }));
    const times = series(rows, 'embedded', 'none', 'shared');
    const [first, last] = [times[0]?.[1] ?? NaN, times.at(-1)?.[1] ?? NaN];
    return {
      holds: last > first,
      summary:
        `sharing one batch takes ${(last / first).toFixed(1)} times as long with ${times.at(-1)?.[0]} institutions as ` +
        'with one; figures and their reading are in out/experiments/nodes',
    };
  },
};

async function measureAll(
  most: number,
  progress: Progress,
): Promise<{ measurements: Measurement[]; skipped: string[] }> {
  const measurements: Measurement[] = [];
  const skipped: string[] = [];
  const series: [string, readonly number[], Omit<SealingOptions, 'institutions'>][] = [
    ['embedded', EMBEDDED, { backend: 'embedded' }],
    ['native Raft', NATIVE, { backend: 'native', consensus: 'raft' }],
    ['native SmartBFT', NATIVE, { backend: 'native', consensus: 'bft' }],
  ];
  for (const [network, counts, options] of series)
    try {
      for (const institutions of counts.filter((count) => count <= most)) {
        progress(`${network}, ${institutions} institutions`);
        measurements.push(...(await measureNetwork(network, { ...options, institutions })));
      }
    } catch (error) {
      const missing =
        error instanceof NetworkError && (error.code === 'FABRIC_MISSING' || error.code === 'FABRIC_VERSION');
      if (!missing) throw error;
      skipped.push(`${network} did not run: ${error.message}`);
    }
  return { measurements, skipped };
}

import { loadavg } from 'node:os';
import { join } from 'node:path';
import { NetworkError } from '@strokeshare/network';
import { csv, writeText } from '../output/csv.js';
import { svgOf } from '../output/figure.js';
import { machine, ROOT } from '../report.js';
import type { SealingOptions } from '../sealing/network.js';
import { fitLine } from '../statistics/summary.js';
import type { Experiment } from './index.js';
import { partsFigure, rateFigure, timeFigure } from './nodes/figures.js';
import { BLOCK_HASHES, type Measurement, measureNetwork } from './nodes/measure.js';
import { predict } from './nodes/predict.js';
import { reading } from './nodes/reading.js';
import { find, type MedianRow, medians, series, type SimulatedRow } from './nodes/rows.js';

const EMBEDDED = [1, 2, 4, 8, 16];
const NATIVE = [1, 2, 4, 8];
const SIMULATED = [1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000];
/** An event's way and two reads. */
const LEARN_MS = 50;

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

/** Real inputs where there are some, and the fitted line of the embedded network's commits beyond. */
function simulate(rows: readonly MedianRow[]): SimulatedRow[] {
  const points = series(rows, 'embedded', 'none', 'shared');
  const line = fitLine(points);
  const rates = rows.filter(({ network, quantity }) => network === 'embedded' && quantity === 'hashes/s');
  const widest = rates.at(-1)?.median ?? NaN;
  return SIMULATED.map((institutions) => {
    const shareMs =
      find(rows, 'embedded', institutions, 'none', 'shared')?.median ??
      line.intercept + line.slope * institutions;
    const own = find(rows, 'embedded', institutions, 'pow', 'hashes/s')?.median;
    const { shared, stale, staleFormula } = predict({
      institutions,
      miners: institutions,
      hashesPerSecond: own ?? widest,
      blockHashes: BLOCK_HASHES,
      shareMs,
      sealMs: shareMs,
      learnMs: LEARN_MS,
    });
    return { institutions, ...shared, stale, staleFormula };
  });
}

import { fitLine } from '../../statistics/summary.js';
import { BLOCK_HASHES } from './measure.js';
import { predict } from './predict.js';
import { find, type MedianRow, series, type SimulatedRow } from './rows.js';

const SIMULATED = [1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000];
/** An event's way and two reads. */
const LEARN_MS = 50;

/** Real inputs where there are some, and the fitted line of the embedded network's commits beyond. */
export function simulate(rows: readonly MedianRow[]): SimulatedRow[] {
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

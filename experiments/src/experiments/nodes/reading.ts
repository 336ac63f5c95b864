import type { Machine } from '../../report.js';
import { fitLine, fitPower } from '../../statistics/summary.js';
import { BLOCK_HASHES, minersOf, REPETITIONS } from './measure.js';
import { SEED } from './predict.js';
import { find, type MedianRow, series, type SimulatedRow } from './rows.js';

const factor = (value: number): string => `${Number(value.toPrecision(2))} times`;
const percent = (value: number): string => `${(100 * value).toFixed(0)}%`;

/** What the figures say, in words and ratios. */
export function reading(
  rows: readonly MedianRow[],
  simulated: readonly SimulatedRow[],
  skipped: readonly string[],
  { cpu, cores, node, load }: Machine & { load: readonly [number, number] },
): string {
  const networks = [...new Set(rows.map(({ network }) => network))];
  return `# Sharing as institutions grow

One record batch is shared: entered by its institution's client, endorsed by a majority of the institutions' peers,
ordered and committed; under \`pow\` it then waits for the block that seals it. Medians of ${REPETITIONS} repetitions with
distribution-free 95% intervals (the whole range of fewer than six values); seed ${SEED} of what is simulated.
Everything ran on ${cores} cores (${cpu}, Node ${node.slice(1)}): all institutions share them, which a real alliance's do
not; the load average was ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after. So ratios within one run say something, times do not. At most ${minersOf(cores)} institutions mine, a block takes
${BLOCK_HASHES} hashes on average.
${skipped.map((line) => `\n${line}\n`).join('')}
## What the number of institutions does
${networks.map((network) => growth(rows, network)).join('\n')}

## What proof of work adds
${networks.map((network) => overhead(rows, network)).join('\n')}

## Where the time goes
${networks.map((network) => parts(rows, network)).join('\n')}

## The simulator beside real runs, and beyond them
${comparison(rows, simulated)}
`;
}

function growth(rows: readonly MedianRow[], network: string): string {
  const lines = (['none', 'pow'] as const).map((scheme) => {
    const times = series(rows, network, scheme, 'shared');
    const rates = series(rows, network, scheme, 'rate');
    const [first, last] = [times[0], times.at(-1)];
    const [firstRate, lastRate] = [rates[0], rates.at(-1)];
    if (!first || !last || !firstRate || !lastRate || times.length < 2) return '';
    const line = fitLine(times);
    const power = fitPower(times);
    return (
      `- ${network}, \`${scheme}\`: from ${first[0]} to ${last[0]} institutions the time of one batch becomes ` +
      `${factor(last[1] / first[1])}, the throughput ${factor(lastRate[1] / firstRate[1])} what it was. ` +
      `Fitted: time(n) / time(1) = ${(line.intercept / first[1]).toFixed(2)} + ${(line.slope / first[1]).toFixed(3)} n ` +
      `(R² ${line.rSquared.toFixed(2)}), or proportional to n^${power.exponent.toFixed(2)} (R² ${power.rSquared.toFixed(2)}).`
    );
  });
  return lines.filter((line) => line !== '').join('\n');
}

function overhead(rows: readonly MedianRow[], network: string): string {
  const ratios = series(rows, network, 'none', 'shared').map(([n, time]) => {
    const pow = find(rows, network, n, 'pow', 'shared')?.median ?? NaN;
    return `${factor(pow / time)} at ${n}`;
  });
  return `- ${network}: one batch takes, under \`pow\` against \`none\`, ${ratios.join(', ')}.`;
}

function parts(rows: readonly MedianRow[], network: string): string {
  const n = series(rows, network, 'pow', 'shared').at(-1)?.[0] ?? 0;
  const part = (quantity: 'endorse' | 'commit' | 'work' | 'seal'): number =>
    find(rows, network, n, 'pow', quantity)?.median ?? 0;
  const all = part('endorse') + part('commit') + part('work') + part('seal');
  const share = (quantity: Parameters<typeof part>[0]): string => percent(part(quantity) / all);
  return (
    `- ${network}, ${n} institutions: endorsement ${share('endorse')}, ordering and commit ${share('commit')}, ` +
    `work ${share('work')}, learning of the entry and sealing it ${share('seal')}.`
  );
}

function comparison(rows: readonly MedianRow[], simulated: readonly SimulatedRow[]): string {
  const beside = simulated.flatMap(({ institutions, median }) => {
    const real = find(rows, 'embedded', institutions, 'pow', 'shared');
    return real ? [`${(median / real.median).toFixed(2)} at ${institutions}`] : [];
  });
  const last = simulated.at(-1);
  const first = simulated[0];
  if (!first || !last) return '';
  return (
    `The simulator is told the time of a commit, measured under \`none\`, and the miners' hash rate: its time of one batch ` +
    `under \`pow\`, divided by the measured one, is ${beside.join(', ')}.\n\n` +
    `Beyond the measured networks the commit's time is extrapolated by the fitted line, with the hash power of all ` +
    `together held constant, as the retarget rule does: at ${last.institutions} institutions one batch takes ` +
    `${factor(last.median / first.median)} the time of one institution, and ${last.stale.toFixed(2)} blocks go stale for ` +
    `each that is committed (the propagation formula says ${last.staleFormula.toFixed(2)}). An extrapolation of what ` +
    `${rows.some(({ institutions }) => institutions > 8) ? '16' : '8'} institutions on one machine do is a statement about ` +
    `its form, not about any alliance's times; and so many stale blocks say that an interval must be far above the time ` +
    `of a commit, which blocks of ${BLOCK_HASHES} hashes at this scale are not.`
  );
}

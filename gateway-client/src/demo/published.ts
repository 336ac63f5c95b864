import type { ResultRow } from '../researcher/index.js';

/** A figure that was printed, in the unit of the row: as many digits as the paper gives. */
interface Published {
  quantity: ResultRow['quantity'];
  labels: Record<string, string>;
  value: number;
}

/**
 * Figures of the International Stroke Trial Collaborative Group, Lancet 1997;349:1569-1581,
 * doi:10.1016/S0140-6736(97)04011-7: deaths within 14 days by aspirin, with the arms' sizes.
 */
const FIGURES: readonly Published[] = [
  { quantity: 'count', labels: {}, value: 19_435 },
  { quantity: 'count', labels: { RXASP: 'Y' }, value: 9_720 },
  { quantity: 'count', labels: { RXASP: 'N' }, value: 9_715 },
  { quantity: 'count', labels: { RXASP: 'Y', ID14: '1' }, value: 872 },
  { quantity: 'count', labels: { RXASP: 'N', ID14: '1' }, value: 909 },
  { quantity: 'proportion', labels: { RXASP: 'Y', ID14: '1' }, value: 0.09 },
  { quantity: 'proportion', labels: { RXASP: 'N', ID14: '1' }, value: 0.094 },
];

/** The published figure for a row of a result, where there is one. */
export function publishedFigure({ quantity, labels }: ResultRow): number | undefined {
  return FIGURES.find((figure) => figure.quantity === quantity && sameLabels(figure.labels, labels))?.value;
}

function sameLabels(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

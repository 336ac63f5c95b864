import type { ReleasedRegression, ResultRow } from '../researcher/index.js';

/** How a result may be printed. */
export const formats = ['table', 'json', 'csv', 'svg', 'md'] as const;
export type Format = (typeof formats)[number];

const COLUMNS = ['statistic', 'quantity', 'group', 'value', 'error deviation', 'note'];

/** The lines of a result as text: `svg` is drawn elsewhere. */
export function formatRows(rows: readonly ResultRow[], format: Exclude<Format, 'svg' | 'json'>): string {
  const cells = rows.map(cellsOf);
  switch (format) {
    case 'csv':
      return [COLUMNS, ...cells].map((line) => line.map(quoted).join(',')).join('\n');
    case 'md':
      return [
        `| ${COLUMNS.join(' | ')} |`,
        '|---|---|---|---:|---:|---|',
        ...cells.map((line) => `| ${line.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`),
      ].join('\n');
    case 'table': {
      const lines = [COLUMNS, ...cells];
      const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
      return lines
        .map((line) =>
          line
            .map((text, i) =>
              i === 3 || i === 4 ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0),
            )
            .join('  ')
            .trimEnd(),
        )
        .join('\n');
    }
  }
}

/** A fitted logistic regression, for a person to read. */
export function regressionText(title: string, { regression, patients, jobs }: ReleasedRegression): string {
  const { coefficients, logLikelihood } = regression;
  const ratio = (value: number): string => value.toPrecision(4);
  const lines = [
    ['term', 'coefficient', 'standard error', 'odds ratio', 'interval', 'p'],
    ...coefficients.map(({ term, estimate, standardError, oddsRatio, pValue }) => [
      term,
      figure(estimate),
      figure(standardError),
      ratio(oddsRatio.estimate),
      `${ratio(oddsRatio.lower)} to ${ratio(oddsRatio.upper)}`,
      pValue < 1e-4 ? pValue.toExponential(1) : pValue.toFixed(4),
    ]),
  ];
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? [];
  return [
    title,
    ...lines.map((line) =>
      line
        .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
        .join('  '),
    ),
    '',
    `${patients} patients; log-likelihood ${figure(logLikelihood ?? NaN)}; jobs ${jobs.join(', ')}.`,
  ].join('\n');
}

function cellsOf({ statistic, quantity, labels, measured, note }: ResultRow): string[] {
  const group = Object.entries(labels)
    .map(([name, level]) => `${name}=${level}`)
    .join(' ');
  const deviation = measured && measured.deviation > 0 ? measured.deviation.toExponential(1) : '';
  const value = measured ? figure(measured.value) : '';
  return [statistic, quantity, group, value, deviation, note ?? (measured ? '' : 'kept back')];
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(10)));
}

/** A field of RFC 4180. */
function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

import type { AnalysisStatistic } from '@strokeshare/fhe';
import { ClientError } from '../../errors.js';
import type { Measured, Scaling, SurvivalCounts } from '../../statistics/index.js';
import type { ReleasedCells } from '../result.js';

/** A cell that a statistic needs was kept back. */
export class KeptBack extends Error {}

/** The counts of one or two variables, by their levels. */
export interface Table {
  /** Levels of each variable, in the schema's order. */
  rows: string[];
  columns: string[];
  /** @throws KeptBack */
  count(row: string, column: string): number;
}

/** Released sums of a number in one group. */
export interface Moments {
  labels: Record<string, string>;
  count: number;
  sum: Measured;
  squares?: Measured;
}

/** Released counts of one group's survival. */
export interface ReleasedSurvival extends SurvivalCounts {
  /** Whether every interval is there. */
  isWhole: boolean;
}

/** The cells of one released statistic; what was kept back throws {@link KeptBack}. */
export class Cells {
  constructor(private readonly result: ReleasedCells) {}

  /** Counts of a statistic, each with its group. */
  counts(id: string): { labels: Record<string, string>; count: () => number }[] {
    return this.statistic(id).rows.map((row) => ({ labels: row.labels, count: () => this.count(row.count) }));
  }

  /** A crosstab as tables: one for each level of the third variable where there is one. */
  tables(id: string): { labels: Record<string, string>; table: Table }[] {
    const cells = this.counts(id);
    const names = Object.keys(cells[0]?.labels ?? {});
    const [columnName = '', rowName = '', third] = names.toReversed();
    const strata = third === undefined ? [undefined] : levelsOf(cells, third);
    return strata.map((stratum) => {
      const own = cells.filter(({ labels }) => third === undefined || labels[third] === stratum);
      return {
        labels: third === undefined || stratum === undefined ? {} : { [third]: stratum },
        table: {
          rows: levelsOf(own, rowName),
          columns: levelsOf(own, columnName),
          count: (row, column) => {
            const cell = own.find(({ labels }) => labels[rowName] === row && labels[columnName] === column);
            if (!cell) throw unknownLevel(id, [row, column]);
            return cell.count();
          },
        },
      };
    });
  }

  /** Sums of a number, group by group. */
  moments(id: string): { labels: Record<string, string>; of: () => Moments }[] {
    const statistic = this.statistic(id);
    if (statistic.kind !== 'mean' && statistic.kind !== 'variance') throw otherKind(id);
    return statistic.rows.map(({ labels, count, sum, squares }) => ({
      labels,
      of: () => ({
        labels,
        count: this.count(count),
        sum: this.value(sum ?? ''),
        ...(squares !== undefined && { squares: this.value(squares) }),
      }),
    }));
  }

  /** The joint sums of two numbers, scaled. @throws KeptBack */
  joint(id: string): Record<'sum' | 'squares' | 'otherSum' | 'otherSquares' | 'product', Measured> & {
    count: number;
  } {
    const statistic = this.statistic(id);
    const [row] = statistic.kind === 'correlation' ? statistic.rows : [];
    if (!row) throw otherKind(id);
    return {
      count: this.count(row.count),
      sum: this.value(row.sum),
      squares: this.value(row.squares),
      otherSum: this.value(row.otherSum),
      otherSquares: this.value(row.otherSquares),
      product: this.value(row.product),
    };
  }

  /**
   * The counts of each group's survival, until the first interval of which one was kept back: the curve before it needs
   * no other. `isWhole` where none was.
   */
  survival(id: string): {
    labels: Record<string, string>;
    times: number[];
    of: () => ReleasedSurvival;
  }[] {
    const statistic = this.statistic(id);
    if (statistic.kind !== 'survival') throw otherKind(id);
    return statistic.rows.map(({ labels, count, points }) => ({
      labels,
      times: points.map(({ time }) => time),
      of: () => {
        const { counts } = this.result;
        const lost = points.findIndex(({ events, censored }) => !counts.has(events) || !counts.has(censored));
        const known = lost < 0 ? points : points.slice(0, lost);
        return {
          patients: this.count(count),
          points: known.map(({ time, events, censored }) => ({
            time,
            events: this.count(events),
            censored: this.count(censored),
          })),
          isWhole: lost < 0,
        };
      },
    }));
  }

  scaling(variable: string): Scaling {
    const scaling = this.result.plan.scaling[variable];
    if (!scaling) throw new ClientError('RESULT_INVALID', `The plan has no scaling of ${variable}.`);
    return scaling;
  }

  private statistic(id: string): AnalysisStatistic {
    const statistic = this.result.plan.statistics.find((candidate) => candidate.id === id);
    if (!statistic) throw new ClientError('RESULT_INVALID', `The job has no statistic ${id}.`);
    return statistic;
  }

  private count(cell: string): number {
    const count = this.result.counts.get(cell);
    if (count === undefined) throw new KeptBack();
    return count;
  }

  private value(cell: string): Measured {
    const value = this.result.values.get(cell);
    if (value === undefined) throw new KeptBack();
    return value;
  }
}

/** Levels of a variable, in the order in which the plan lists them: the schema's. */
export function levelsOf(cells: readonly { labels: Record<string, string> }[], variable: string): string[] {
  return [...new Set(cells.map(({ labels }) => labels[variable] ?? ''))];
}

/** @throws ClientError `JOB_FILE_INVALID` */
export function unknownLevel(
  id: string,
  levels: readonly string[],
  known: readonly string[] = [],
): ClientError {
  const those = known.length > 0 ? `; there are ${known.join(', ')}` : '';
  return new ClientError(
    'JOB_FILE_INVALID',
    `${id} names a level that its variables do not have: ${levels.join(', ')}${those}.`,
  );
}

function otherKind(id: string): ClientError {
  return new ClientError('RESULT_INVALID', `The job's statistic ${id} is of another kind.`);
}

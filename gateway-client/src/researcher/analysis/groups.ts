/** What statistics of counts have in common: their quantities, the groups that are compared, and 2x2 tables. */
import { proportion, type TwoByTwo } from '../../statistics/index.js';
import { unknownLevel, type Table } from './cells.js';

export const PROPORTION = ['count', 'patients', 'proportion', 'proportionLower', 'proportionUpper'] as const;
export const ODDS_RATIO = ['oddsRatio', 'oddsRatioLower', 'oddsRatioUpper'] as const;
export const TEST = ['statistic', 'degreesOfFreedom', 'pValue'] as const;

export function proportionFigures(
  events: number,
  patients: number,
  options: Parameters<typeof proportion>[2],
): Partial<Record<(typeof PROPORTION)[number], number>> {
  const { estimate, lower, upper } = proportion(events, patients, options);
  return { count: events, patients, proportion: estimate, proportionLower: lower, proportionUpper: upper };
}

export function oddsFigures({ estimate, lower, upper }: Record<'estimate' | 'lower' | 'upper', number>) {
  return { oddsRatio: estimate, oddsRatioLower: lower, oddsRatioUpper: upper };
}

interface Groups {
  exposed: readonly string[];
  unexposed: readonly string[];
}

/** The levels of both groups: those named, or the first against the second. */
export function groupsOf(
  id: string,
  table: Pick<Table, 'rows'>,
  {
    exposed,
    unexposed,
  }: { exposed?: readonly string[] | undefined; unexposed?: readonly string[] | undefined },
): Groups {
  const [first = '', second = ''] = table.rows;
  const groups = { exposed: exposed ?? [first], unexposed: unexposed ?? [second] };
  chosen(id, table.rows, [...groups.exposed, ...groups.unexposed]);
  return groups;
}

export function chosen(id: string, levels: readonly string[], wanted?: readonly string[]): readonly string[] {
  const unknown = wanted?.filter((code) => !levels.includes(code)) ?? [];
  if (unknown.length > 0 || levels.length === 0) throw unknownLevel(id, unknown, levels);
  return wanted ?? levels.slice(0, 1);
}

export function twoByTwo(table: Table, { exposed, unexposed }: Groups, events: readonly string[]): TwoByTwo {
  const sum = (rows: readonly string[], isEvent: boolean): number =>
    rows
      .flatMap((row) =>
        table.columns
          .filter((column) => events.includes(column) === isEvent)
          .map((column) => table.count(row, column)),
      )
      .reduce((total, count) => total + count, 0);
  return {
    exposedEvent: sum(exposed, true),
    exposedNone: sum(exposed, false),
    unexposedEvent: sum(unexposed, true),
    unexposedNone: sum(unexposed, false),
  };
}

export function none(id: string): never {
  throw unknownLevel(id, []);
}

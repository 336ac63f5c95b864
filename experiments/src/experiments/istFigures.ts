import type { ComparedNumber } from '../study/ask.js';

/** A published figure, and what the ciphertexts give. */
export interface Figure {
  name: string;
  published: string;
  computed: string;
  /** Whether the computed numbers, rounded as printed, are the printed ones. */
  holds: boolean;
  /** Risks of both groups in percent, where it compares two. */
  risks?: { group: string; published: number; computed: number }[];
}

type Find = (statistic: string, quantity: string, labels: Record<string, string>) => number;

const ASPIRIN = { name: 'RXASP', groups: ['Y', 'N'], words: ['aspirin', 'no aspirin'] } as const;
const HEPARIN = { name: 'RXHEP', groups: ['L+M', 'N'], words: ['heparin', 'no heparin'] } as const;
const DOSE = { name: 'RXHEP', groups: ['M', 'L'], words: ['medium', 'low'] } as const;
type Arms = typeof ASPIRIN | typeof HEPARIN | typeof DOSE;

/** Every row of the table of published figures. */
export function figures(numbers: readonly ComparedNumber[]): Figure[] {
  const find: Find = (statistic, quantity, labels) => {
    const text = JSON.stringify(labels);
    const found = numbers.find(
      ({ row }) =>
        row.statistic === statistic && row.quantity === quantity && JSON.stringify(row.labels) === text,
    );
    return found?.encrypted ?? Number.NaN;
  };
  const countries = numbers.filter(
    ({ row, encrypted }) => row.statistic === 'countries' && (encrypted ?? 0) > 0,
  ).length;
  const coded = numbers
    .filter(({ row }) => row.statistic === 'fibrillation')
    .reduce((sum, { encrypted }) => sum + (encrypted ?? Number.NaN), 0);
  const patients = find('patients', 'count', {});
  const p = find('outcome-aspirin', 'pValue', { test: 'z' });
  const per1000 = -1000 * find('outcome-aspirin', 'riskDifference', {});
  const excess = (statistic: string): number => 1000 * find(statistic, 'riskDifference', {});
  const died = { variable: 'ID14', level: '1' };
  const dependent = { variable: 'OCCODE', level: '1+2' };
  const recurrent = { variable: 'RECURRENT14', level: '1' };
  const haemorrhage = { variable: 'H14', level: '1' };
  const either = { variable: 'DEATHORSTROKE14', level: '1' };
  const risk = (
    name: string,
    statistic: string,
    arms: Arms,
    event: { variable: string; level: string },
    printed: readonly [number, number],
    counts?: readonly [number, number],
  ): Figure => riskFigure(find, name, statistic, arms, event, printed, counts);
  return [
    whole('patients', 19_435, patients),
    whole('countries', 36, countries),
    risk('death in 14 days, aspirin v none', 'death-aspirin', ASPIRIN, died, [9.0, 9.4], [872, 909]),
    risk('death in 14 days, heparin v none', 'death-heparin', HEPARIN, died, [9.0, 9.3], [876, 905]),
    risk(
      'dead or dependent at 6 months, aspirin v none',
      'outcome-aspirin',
      ASPIRIN,
      dependent,
      [62.2, 63.5],
    ),
    rounded('the same, 2p', '0.07', p, 2),
    rounded('the same, difference per 1000', '13', per1000, 0),
    risk(
      'dead or dependent at 6 months, heparin v none',
      'outcome-heparin',
      HEPARIN,
      dependent,
      [62.9, 62.9],
    ),
    risk('recurrent ischaemic stroke, aspirin v none', 'recurrent-aspirin', ASPIRIN, recurrent, [2.8, 3.9]),
    risk('recurrent ischaemic stroke, heparin v none', 'recurrent-heparin', HEPARIN, recurrent, [2.9, 3.8]),
    risk('haemorrhagic stroke, aspirin v none', 'haemorrhage-aspirin', ASPIRIN, haemorrhage, [0.9, 0.8]),
    risk('haemorrhagic stroke, heparin v none', 'haemorrhage-heparin', HEPARIN, haemorrhage, [1.2, 0.4]),
    risk('death or recurrent stroke, aspirin v none', 'either-aspirin', ASPIRIN, either, [11.3, 12.4]),
    risk('death or recurrent stroke, heparin v none', 'either-heparin', HEPARIN, either, [11.7, 12.0]),
    risk('death or recurrent stroke, medium v low heparin', 'either-dose', DOSE, either, [12.6, 10.8]),
    rounded('extracranial bleeds, excess per 1000, aspirin', '5', excess('bleeds-aspirin'), 0),
    rounded('the same, heparin', '9', excess('bleeds-heparin'), 0),
    rounded('the same, aspirin without heparin', '2', excess('bleeds-alone'), 0),
    ...(['Y', 'N'] as const).map((arm) => {
      const all = find('death-aspirin', 'patients', { RXASP: arm, ID14: '1' });
      const known = find('outcome-aspirin', 'patients', { RXASP: arm, OCCODE: '1+2' });
      return whole(
        `lost at 6 months, ${arm === 'Y' ? 'aspirin' : 'none'}`,
        arm === 'Y' ? 81 : 69,
        all - known,
      );
    }),
    ...(['Y', 'N'] as const).map((arm) =>
      whole(
        `lost at 14 days, ${arm === 'Y' ? 'aspirin' : 'none'}`,
        1,
        find('lost', 'count', { RXASP: arm, SET14D: '0' }),
      ),
    ),
    whole('pilot patients without atrial fibrillation coded', 984, patients - coded),
  ];
}

function riskFigure(
  find: Find,
  name: string,
  statistic: string,
  { name: variable, groups, words }: Arms,
  event: { variable: string; level: string },
  printed: readonly [number, number],
  counts?: readonly [number, number],
): Figure {
  const arms = groups.map((group) => {
    const labels = { [variable]: group, [event.variable]: event.level };
    const [count, patients, share] = ['count', 'patients', 'proportion'].map((q) =>
      find(statistic, q, labels),
    );
    return { count: count ?? 0, patients: patients ?? 0, percent: 100 * (share ?? 0) };
  });
  const holds = arms.every(
    ({ count, percent }, i) =>
      percent.toFixed(1) === printed[i]?.toFixed(1) && (counts === undefined || count === counts[i]),
  );
  return {
    name,
    published: printed
      .map((percent, i) =>
        counts ? `${counts[i] ?? ''} (${percent.toFixed(1)} %)` : `${percent.toFixed(1)} %`,
      )
      .join(' v '),
    computed: arms
      .map(({ count, patients, percent }) => `${count}/${patients} = ${percent.toFixed(3)} %`)
      .join(' v '),
    holds,
    risks: arms.map(({ percent }, i) => ({
      group: words[i] ?? '',
      published: printed[i] ?? Number.NaN,
      computed: percent,
    })),
  };
}

function whole(name: string, published: number, computed: number): Figure {
  return { name, published: String(published), computed: String(computed), holds: published === computed };
}

function rounded(name: string, published: string, computed: number, digits: number): Figure {
  return {
    name,
    published,
    computed: computed.toFixed(digits + 2),
    holds: computed.toFixed(digits) === published,
  };
}

import fc from 'fast-check';
import { type Dataset } from '../api/datasets.js';
import { rules } from '../api/decisions.js';
import { type Epoch } from '../api/epochs.js';
import { type AgreementContent, agreementStates, statisticKinds } from '../api/permissions.js';
import { type Researcher } from '../api/researchers.js';
import { decide, type Facts } from './decide.js';

const DATASETS = ['d1', 'd2'];
const VARIABLES = ['AGE', 'SEX', 'RSBP'];
const PURPOSES = ['DUO:0000042', 'DUO:0000006', 'DUO:0000007', 'DUO:0000033'];
const YEAR = 365 * 86_400_000;

/** Facts as a few choices: each grants something or not. */
interface Choices {
  registered: boolean;
  own: boolean;
  agreement: (typeof agreementStates)[number];
  from: number;
  until: number;
  agreedPurpose: string;
  purpose: string;
  conditions: string[];
  available: string[];
  members: string[];
  epoch: Epoch['state'];
  agreedVariables: string[];
  variables: string[];
  agreedStatistics: (typeof statisticKinds)[number][];
  statistics: string[];
  fits: boolean;
  needed: number;
  agreementLeft: number;
  epochLeft: number;
}

const choices: fc.Arbitrary<Choices> = fc.record({
  registered: fc.boolean(),
  own: fc.boolean(),
  agreement: fc.constantFrom(...agreementStates),
  from: fc.integer({ min: -2, max: 2 }),
  until: fc.integer({ min: -2, max: 2 }),
  agreedPurpose: fc.constantFrom(...PURPOSES),
  purpose: fc.constantFrom(...PURPOSES),
  conditions: fc.subarray(PURPOSES),
  available: fc.subarray(DATASETS),
  members: fc.subarray(['H1', 'H2']),
  epoch: fc.constantFrom('OPEN', 'ACTIVE', 'RETIRED', 'ABORTED'),
  agreedVariables: fc.subarray(VARIABLES),
  variables: fc.subarray(VARIABLES),
  agreedStatistics: fc.subarray([...statisticKinds]),
  statistics: fc.subarray([...statisticKinds]),
  fits: fc.boolean(),
  needed: fc.nat(20),
  agreementLeft: fc.nat(20),
  epochLeft: fc.nat(20),
});

/** A case that everything allows, so that taking one right away is what decides. */
const granted: Choices = {
  registered: true,
  own: true,
  agreement: 'ACTIVE',
  from: -1,
  until: 1,
  agreedPurpose: 'DUO:0000007',
  purpose: 'DUO:0000007',
  conditions: ['DUO:0000042'],
  available: DATASETS,
  members: ['H1', 'H2'],
  epoch: 'ACTIVE',
  agreedVariables: VARIABLES,
  variables: ['AGE'],
  agreedStatistics: [...statisticKinds],
  statistics: ['mean'],
  fits: true,
  needed: 5,
  agreementLeft: 5,
  epochLeft: 5,
};

/** Mostly granted: some facts as drawn, the others as in the case above. */
const nearlyGranted = fc
  .tuple(choices, fc.subarray(Object.keys(granted) as (keyof Choices)[], { maxLength: 4 }))
  .map(([drawn, names]): Choices => ({
    ...granted,
    ...Object.fromEntries(names.map((name) => [name, drawn[name]])),
  }));

/** For every rule, what takes its right away. */
const withdrawals: Record<(typeof rules)[number], Partial<Choices>[]> = {
  identity: [{ registered: false }, { own: false }],
  agreement: [
    { agreement: 'PROPOSED' },
    { agreement: 'REFUSED' },
    { agreement: 'SUSPENDED' },
    { agreement: 'TERMINATED' },
  ],
  period: [{ from: 1 }, { until: 0 }, { until: 0, agreement: 'EXPIRED' }],
  purpose: [{ purpose: 'DUO:0000006' }, { conditions: [] }, { conditions: ['DUO:0000033'] }],
  datasets: [{ available: ['d1'] }, { available: [] }, { members: ['H1'] }, { epoch: 'RETIRED' }],
  variables: [{ agreedVariables: ['SEX'] }],
  statistics: [{ agreedStatistics: ['count'] }],
  plan: [{ fits: false }],
  budget: [{ agreementLeft: 4 }, { epochLeft: 4 }],
};

function factsOf(choice: Choices): Facts {
  const at = (years: number): string => new Date(years * YEAR).toISOString();
  const permission = {
    researcherId: 'R/alice',
    datasets: DATASETS,
    variables: choice.agreedVariables,
    statistics: choice.agreedStatistics,
    purpose: choice.agreedPurpose,
    from: at(choice.from),
    until: at(choice.until),
  };
  const datasets = choice.available.map((datasetId): [string, Dataset] => [
    datasetId,
    {
      datasetId,
      owner: datasetId.replace('d', 'H'),
      status: 'ACTIVE',
      epochId: 'e1',
      conditions: choice.conditions,
    } as unknown as Dataset,
  ]);
  return {
    step: 'submit',
    now: 0,
    researcher: choice.registered
      ? ({ status: 'ACTIVE', researcherId: choice.own ? 'R/alice' : 'R/mallory' } as Researcher)
      : undefined,
    agreement: {
      content: { agreementId: 'a', permission } as unknown as AgreementContent,
      state: choice.agreement,
    },
    purpose: choice.purpose,
    variables: choice.variables,
    statistics: choice.statistics,
    datasets: new Map(datasets),
    members: new Set(choice.members),
    epoch: { epochId: 'e1', state: choice.epoch } as Epoch,
    plan: () => (choice.fits ? undefined : { code: 'PLAN_TOO_LARGE', reason: '' }),
    budget: () => choice,
  };
}

describe('the permission function', () => {
  it('allows what every rule speaks for', () => {
    expect(decide(factsOf(granted))).toEqual({ allowed: true });
  });

  it.each(rules.flatMap((rule) => withdrawals[rule].map((change) => [rule, change] as const)))(
    'names the rule %s for %j',
    (rule, change) => {
      expect(decide(factsOf({ ...granted, ...change }))).toMatchObject({ allowed: false, refusal: { rule } });
    },
  );

  it('is monotone: it never allows more when rights shrink or a budget falls', () => {
    fc.assert(
      fc.property(nearlyGranted, fc.nat(5), fc.func(fc.boolean()), (choice, fall, keep) => {
        const smaller: Choices = {
          ...choice,
          agreedVariables: choice.agreedVariables.filter(keep),
          agreedStatistics: choice.agreedStatistics.filter(keep),
          conditions: choice.conditions.filter(keep),
          available: choice.available.filter(keep),
          members: choice.members.filter(keep),
          agreementLeft: choice.agreementLeft - fall,
          epochLeft: choice.epochLeft - fall,
        };
        return decide(factsOf(choice)).allowed || !decide(factsOf(smaller)).allowed;
      }),
    );
  });
});

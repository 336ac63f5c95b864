import fc from 'fast-check';
import { type Dataset } from '../api/datasets.js';
import { rules } from '../api/decisions.js';
import { type Epoch } from '../api/epochs.js';
import {
  type AgreementContent,
  agreementStates,
  type GrantedPart,
  type Permission,
  statisticKinds,
} from '../api/permissions.js';
import { type Researcher } from '../api/researchers.js';
import { decide, type Facts } from './decide.js';
import { excessOf, withPart } from './grant.js';

const DATASETS = ['d1', 'd2'];
const VARIABLES = ['AGE', 'SEX', 'RSBP'];
const PURPOSES = ['DUO:0000042', 'DUO:0000006', 'DUO:0000007', 'DUO:0000033'];
/** Ethics approval, non-profit organisations, collaboration. */
const ATTESTED = ['DUO:0000021', 'DUO:0000045', 'DUO:0000020'];
const DISEASES = ['MONDO:0005098', 'MONDO:1060198', 'MONDO:0005027'];
const YEAR = 365 * 86_400_000;

/** Facts as a few choices: each grants something or not. */
interface Choices {
  registered: boolean;
  suspended: boolean;
  own: boolean;
  agreement: (typeof agreementStates)[number];
  from: number;
  until: number;
  agreedPurpose: string;
  purpose: string;
  /** A permission term. */
  permission: string;
  /** Where the permission is for diseases. */
  allowedDiseases: string[];
  diseases: string[];
  modifiers: string[];
  attested: string[];
  /** Digest of the version that the job was submitted under, and of the one in force. */
  agreed: string | undefined;
  digest: string;
  available: string[];
  members: string[];
  epoch: Epoch['state'];
  agreedVariables: string[];
  variables: string[];
  agreedStatistics: (typeof statisticKinds)[number][];
  statistics: string[];
  fits: boolean;
  isNew: boolean;
  needed: number;
  agreementLeft: number;
  epochLeft: number;
  neededMicroRho: number;
  microRhoLeft: number;
}

const choices: fc.Arbitrary<Choices> = fc.record({
  registered: fc.boolean(),
  suspended: fc.boolean(),
  own: fc.boolean(),
  agreement: fc.constantFrom(...agreementStates),
  from: fc.integer({ min: -2, max: 2 }),
  until: fc.integer({ min: -2, max: 2 }),
  agreedPurpose: fc.constantFrom(...PURPOSES),
  purpose: fc.constantFrom(...PURPOSES),
  permission: fc.constantFrom('DUO:0000004', 'DUO:0000042', 'DUO:0000006', 'DUO:0000007', 'DUO:0000011'),
  allowedDiseases: fc.subarray(DISEASES),
  diseases: fc.subarray(DISEASES),
  modifiers: fc.subarray(ATTESTED),
  attested: fc.subarray(ATTESTED),
  agreed: fc.constantFrom(undefined, 'v1', 'v2'),
  digest: fc.constantFrom('v1', 'v2'),
  available: fc.subarray(DATASETS),
  members: fc.subarray(['H1', 'H2']),
  epoch: fc.constantFrom('OPEN', 'ACTIVE', 'RETIRED', 'ABORTED'),
  agreedVariables: fc.subarray(VARIABLES),
  variables: fc.subarray(VARIABLES),
  agreedStatistics: fc.subarray([...statisticKinds]),
  statistics: fc.subarray([...statisticKinds]),
  fits: fc.boolean(),
  isNew: fc.boolean(),
  needed: fc.nat(20),
  agreementLeft: fc.nat(20),
  epochLeft: fc.nat(20),
  neededMicroRho: fc.nat(20),
  microRhoLeft: fc.nat(20),
});

/** A case that everything allows, so that taking one right away is what decides. */
const granted: Choices = {
  registered: true,
  suspended: false,
  own: true,
  agreement: 'ACTIVE',
  from: -1,
  until: 1,
  agreedPurpose: 'DUO:0000007',
  purpose: 'DUO:0000007',
  permission: 'DUO:0000007',
  allowedDiseases: ['MONDO:0005098'],
  diseases: ['MONDO:1060198'],
  modifiers: ['DUO:0000021', 'DUO:0000045'],
  attested: ATTESTED,
  agreed: 'v1',
  digest: 'v1',
  available: DATASETS,
  members: ['H1', 'H2'],
  epoch: 'ACTIVE',
  agreedVariables: VARIABLES,
  variables: ['AGE'],
  agreedStatistics: [...statisticKinds],
  statistics: ['mean'],
  fits: true,
  isNew: true,
  needed: 5,
  agreementLeft: 5,
  epochLeft: 5,
  neededMicroRho: 3,
  microRhoLeft: 3,
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
  identity: [{ registered: false }, { suspended: true }, { own: false }],
  agreement: [
    { agreement: 'PROPOSED' },
    { agreement: 'REFUSED' },
    { agreement: 'SUSPENDED' },
    { agreement: 'TERMINATED' },
    { digest: 'v2' },
  ],
  period: [{ from: 1 }, { until: 0 }, { until: 0, agreement: 'EXPIRED' }],
  purpose: [
    { purpose: 'DUO:0000006' },
    { permission: 'DUO:0000011' },
    { permission: 'DUO:9999999' },
    { diseases: [] },
    { diseases: ['MONDO:1060198', 'MONDO:0005027'] },
  ],
  conditions: [{ attested: ['DUO:0000021'] }, { modifiers: ['DUO:9999999'] }],
  datasets: [{ available: ['d1'] }, { available: [] }, { members: ['H1'] }, { epoch: 'RETIRED' }],
  variables: [{ agreedVariables: ['SEX'] }],
  statistics: [{ agreedStatistics: ['count'] }],
  plan: [{ fits: false }],
  disclosure: [{ isNew: false }],
  budget: [{ agreementLeft: 4 }, { epochLeft: 4 }, { microRhoLeft: 2 }],
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
    use: {
      diseases: choice.diseases,
      attestations: choice.attested.map((code) => ({ code, statement: 'Yes.', document: '0'.repeat(64) })),
    },
  };
  const conditions = [
    choice.permission === 'DUO:0000007'
      ? { code: choice.permission, diseases: choice.allowedDiseases }
      : choice.permission,
    ...choice.modifiers,
  ];
  const datasets = choice.available.map((datasetId): [string, Dataset] => [
    datasetId,
    {
      datasetId,
      owner: datasetId.replace('d', 'H'),
      status: 'ACTIVE',
      epochId: 'e1',
      conditions,
    } as unknown as Dataset,
  ]);
  return {
    step: 'submit',
    now: 0,
    researcher: choice.registered
      ? ({
          status: choice.suspended ? 'SUSPENDED' : 'ACTIVE',
          researcherId: choice.own ? 'R/alice' : 'R/mallory',
        } as Researcher)
      : undefined,
    agreement: {
      content: { agreementId: 'a', permission } as unknown as AgreementContent,
      digest: choice.digest,
      state: choice.agreement,
    },
    agreedDigest: choice.agreed,
    purpose: choice.purpose,
    variables: choice.variables,
    statistics: choice.statistics,
    datasets: new Map(datasets),
    members: new Set(choice.members),
    epoch: { epochId: 'e1', state: choice.epoch } as Epoch,
    disclosure: () => (choice.isNew ? undefined : { code: 'REPEATED_RELEASE', reason: '' }),
    plan: () => (choice.fits ? undefined : { code: 'PLAN_TOO_LARGE', reason: '' }),
    budget: () => ({ ...choice, shared: choice.needed }),
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

  it('is monotone: it never allows more when a right is taken away or anything is narrowed', () => {
    // No restriction, general research, biomedical research, diseases: each term includes the next.
    const terms = ['DUO:0000004', 'DUO:0000042', 'DUO:0000006', 'DUO:0000007'];
    const narrower = (term: string, steps: number): string =>
      terms.includes(term) ? terms[Math.min(terms.indexOf(term) + steps, terms.length - 1)]! : term;
    const part = <T>(list: T[], keep: (item: T) => boolean): T[] => list.filter(keep);
    fc.assert(
      fc.property(
        nearlyGranted,
        fc.nat(5),
        fc.func(fc.boolean()),
        fc.boolean(),
        (choice, fall, keep, more) => {
          const smaller: Choices = {
            ...choice,
            registered: choice.registered && keep('registered'),
            suspended: choice.suspended || keep('suspended'),
            from: choice.from + fall,
            until: choice.until - fall,
            agreement: keep('agreement') ? choice.agreement : 'SUSPENDED',
            epoch: keep('epoch') ? choice.epoch : 'RETIRED',
            permission: narrower(choice.permission, fall),
            fits: choice.fits && keep('fits'),
            isNew: choice.isNew && keep('isNew'),
            agreedVariables: part(choice.agreedVariables, keep),
            agreedStatistics: part(choice.agreedStatistics, keep),
            allowedDiseases: part(choice.allowedDiseases, keep),
            attested: part(choice.attested, keep),
            modifiers: more ? [...new Set([...choice.modifiers, ...ATTESTED])] : choice.modifiers,
            diseases: more ? [...new Set([...choice.diseases, 'MONDO:0005027'])] : choice.diseases,
            available: part(choice.available, keep),
            members: part(choice.members, keep),
            agreementLeft: choice.agreementLeft - fall,
            epochLeft: choice.epochLeft - fall,
            microRhoLeft: choice.microRhoLeft - fall,
          };
          // A use that named no disease names one now, which says more than before and may be allowed.
          fc.pre(choice.diseases.length > 0 || !more);
          return decide(factsOf(choice)).allowed || !decide(factsOf(smaller)).allowed;
        },
      ),
    );
  });

  const instants = fc.integer({ min: 0, max: 9 }).map((days) => new Date(days * 86_400_000).toISOString());
  const grantable = fc.record({
    datasets: fc.subarray(DATASETS, { minLength: 1 }),
    variables: fc.subarray(VARIABLES, { minLength: 1 }),
    statistics: fc.subarray([...statisticKinds], { minLength: 1 }),
    from: instants,
    until: instants,
    minimumCohort: fc.integer({ min: 1, max: 9 }),
    releaseBudget: fc.integer({ min: 1, max: 9 }),
    privacy: fc.option(fc.record({ budget: fc.integer({ min: 1, max: 9 }), perValue: fc.constant(1) }), {
      nil: undefined,
    }),
  });

  it('grants part of what was asked, never more of anything', () => {
    fc.assert(
      fc.property(grantable, grantable, (asked, wanted) => {
        const granted = withPart(asked as Permission, wanted as GrantedPart);
        const within = excessOf(asked as Permission, granted) === undefined;
        const privacy = !asked.privacy || (wanted.privacy && wanted.privacy.budget <= asked.privacy.budget);
        const expected =
          wanted.datasets.every((id) => asked.datasets.includes(id)) &&
          wanted.variables.every((name) => asked.variables.includes(name)) &&
          wanted.statistics.every((kind) => asked.statistics.includes(kind)) &&
          wanted.from >= asked.from &&
          wanted.until <= asked.until &&
          wanted.minimumCohort >= asked.minimumCohort &&
          wanted.releaseBudget <= asked.releaseBudget &&
          Boolean(privacy);
        return within === expected;
      }),
    );
  });
});

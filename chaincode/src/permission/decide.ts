/**
 * The permission function: one place decides, at submission and again at evaluation, count release and value release.
 * Rules are asked in order; the first that refuses decides. What no rule speaks for is refused: every rule asks for a
 * positive fact. No rule writes, and none reads anything but its facts.
 */
import { named } from '../api/dataUse.js';
import { type Dataset } from '../api/datasets.js';
import { type Decision, type DecisionStep, type RefusalCode, type Rule, rules } from '../api/decisions.js';
import { type Epoch } from '../api/epochs.js';
import { type AgreementContent, type AgreementState } from '../api/permissions.js';
import { type Researcher } from '../api/researchers.js';
import { type ConditionKind, objectionTo } from './dataUse.js';

/** Everything that a decision rests on, read from the ledger. */
export interface Facts {
  readonly step: DecisionStep;
  /** Milliseconds. */
  readonly now: number;
  /** The registry entry of whoever submits or submitted the job. */
  readonly researcher: Researcher | undefined;
  /** The version in force, or the first where none is yet. */
  readonly agreement: {
    readonly content: AgreementContent;
    readonly digest: string;
    readonly state: AgreementState;
  };
  /** The version that the job was submitted under; undefined at its submission. */
  readonly agreedDigest: string | undefined;
  /** What the job asks for. */
  readonly purpose: string;
  readonly variables: readonly string[];
  readonly statistics: readonly string[];
  /** By id; an entry is missing where the dataset is. */
  readonly datasets: ReadonlyMap<string, Dataset>;
  /** Owners that are members of the consortium now. */
  readonly members: ReadonlySet<string>;
  /** The epoch of the first dataset. */
  readonly epoch: Epoch | undefined;
  /** Whether the plan fits; asked only when all rules before it agree. */
  readonly plan: () => Refused | undefined;
  /** What was released before and speaks against the job; asked at submission alone. */
  readonly disclosure: () => Refused | undefined;
  /** What the job still has to reserve; nothing after submission. */
  readonly budget: () => {
    /** Cells that may be released. */
    readonly needed: number;
    /** Coefficients that are shared under the key, comparisons included. */
    readonly shared: number;
    readonly agreementLeft: number;
    readonly epochLeft: number;
    /** Rho of differential privacy, in millionths. */
    readonly neededMicroRho: number;
    readonly microRhoLeft: number;
  };
}

export interface Refused {
  readonly code: RefusalCode;
  readonly reason: string;
}

const ruleBook: Readonly<Record<Rule, (facts: Facts) => Refused | undefined>> = {
  identity({ researcher, agreement }) {
    if (researcher?.status === 'SUSPENDED')
      return refused('RESEARCHER_SUSPENDED', `The researcher ${researcher.researcherId} is suspended.`);
    return researcher?.status === 'ACTIVE' &&
      researcher.researcherId === agreement.content.permission.researcherId
      ? undefined
      : refused('RESEARCHER_NOT_COVERED', 'The agreement was made with another researcher.');
  },

  agreement({ agreement: { state, content, digest }, agreedDigest }) {
    if (state !== 'ACTIVE' && state !== 'EXPIRED')
      return refused('AGREEMENT_NOT_ACTIVE', `The agreement ${content.agreementId} is ${state}.`);
    return agreedDigest === undefined || agreedDigest === digest
      ? undefined
      : refused(
          'AGREEMENT_AMENDED',
          `The agreement ${content.agreementId} is in force in its version ${content.version}, not in the job's.`,
        );
  },

  period({ agreement: { content }, now }) {
    const { from, until } = content.permission;
    if (now < Date.parse(from))
      return refused('AGREEMENT_NOT_YET_VALID', `The agreement is valid from ${from} on.`);
    return now < Date.parse(until)
      ? undefined
      : refused('AGREEMENT_EXPIRED', `The agreement ended at ${until}.`);
  },

  purpose({ purpose, agreement, datasets, researcher }) {
    const agreed = agreement.content.permission.purpose;
    if (purpose !== agreed)
      return refused('PURPOSE_NOT_COVERED', `The agreement is for ${agreed}, the job for ${purpose}.`);
    return objection('permission', 'PURPOSE_NOT_COVERED', { agreement, datasets, researcher });
  },

  conditions: (facts) => objection('modifier', 'CONDITION_NOT_MET', facts),

  datasets({ agreement, datasets, members, epoch }) {
    const { permission } = agreement.content;
    const gone = permission.datasets.find((id) => datasets.get(id)?.status !== 'ACTIVE');
    if (gone !== undefined) return refused('DATASET_NOT_AVAILABLE', `The dataset ${gone} is not available.`);
    const orphan = [...datasets.values()].find(({ owner }) => !members.has(owner));
    if (orphan)
      return refused(
        'DATASET_NOT_AVAILABLE',
        `${orphan.owner}, the owner of ${orphan.datasetId}, is no member.`,
      );
    if (epoch?.state !== 'ACTIVE')
      return refused('EPOCH_NOT_ACTIVE', `The key epoch of the datasets is ${epoch?.state ?? 'unknown'}.`);
    const other = [...datasets.values()].find(({ epochId }) => epochId !== epoch.epochId);
    return other && refused('EPOCH_NOT_ACTIVE', `The dataset ${other.datasetId} is of another key epoch.`);
  },

  variables({ variables, agreement }) {
    const extra = variables.filter((name) => !agreement.content.permission.variables.includes(name));
    return extra.length === 0
      ? undefined
      : refused('VARIABLE_NOT_COVERED', `The agreement does not cover ${extra.join(', ')}.`);
  },

  statistics({ statistics, agreement }) {
    const covered: readonly string[] = agreement.content.permission.statistics;
    const extra = statistics.filter((kind) => !covered.includes(kind));
    return extra.length === 0
      ? undefined
      : refused('STATISTIC_NOT_COVERED', `The agreement does not cover the statistic ${extra.join(', ')}.`);
  },

  plan: ({ plan }) => plan(),

  disclosure: ({ disclosure }) => disclosure(),

  budget(facts) {
    const { needed, shared, agreementLeft, epochLeft, neededMicroRho, microRhoLeft } = facts.budget();
    if (needed > agreementLeft)
      return refused(
        'BUDGET_EXHAUSTED',
        `The job releases ${needed} cells and the agreement has ${agreementLeft} left.`,
      );
    if (neededMicroRho > microRhoLeft)
      return refused(
        'PRIVACY_BUDGET_EXHAUSTED',
        `The job spends ${neededMicroRho} millionths of rho and the agreement has ${microRhoLeft} left.`,
      );
    return shared > epochLeft
      ? refused(
          'EPOCH_BUDGET_EXHAUSTED',
          `The job takes ${shared} cells of the key epoch, which has ${epochLeft} left.`,
        )
      : undefined;
  },
};

/** What the first dataset whose conditions are not met objects to, if it is of this kind. */
function objection(
  kind: ConditionKind,
  code: RefusalCode,
  { agreement, datasets, researcher }: Pick<Facts, 'agreement' | 'datasets' | 'researcher'>,
): Refused | undefined {
  const { permission } = agreement.content;
  const use = { ...permission, ...permission.use, mspId: researcher?.mspId ?? '' };
  for (const { datasetId, conditions } of datasets.values()) {
    const found = objectionTo(conditions, use, kind);
    if (found)
      return refused(
        code,
        `The dataset ${datasetId} does not allow it by ${named(found.code)}: ${found.reason}.`,
      );
  }
  return undefined;
}

const refused = (code: RefusalCode, reason: string): Refused => ({ code, reason });

/** Decides, and says which rule refused. */
export function decide(facts: Facts): Decision {
  for (const rule of rules) {
    const answer = ruleBook[rule](facts);
    if (answer) return { allowed: false, refusal: { step: facts.step, rule, ...answer } };
  }
  return { allowed: true };
}

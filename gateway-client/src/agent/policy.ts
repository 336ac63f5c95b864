import type { AgreementView, JobView } from '@strokeshare/chaincode';
import { z } from 'zod';

/** What an institution decides about an agreement that waits for its signature, or a job that waits for its part. */
export type Decision =
  | { answer: 'sign' }
  | { answer: 'refuse'; reason: string }
  /** For a person; says what is outside the bounds. */
  | { answer: 'wait'; reasons: string[] };

/** The rules of one institution; its agent asks them before it signs or takes part. */
export interface InstitutionPolicy {
  /** A cell in which the institution has fewer own patients is withheld. */
  readonly minimumOwnCount: number;
  /** The p of the p% rule: a sum is withheld in which one own patient stands out so far. */
  readonly dominancePercent: number;
  decide(agreement: AgreementView): Decision | Promise<Decision>;
  /** Asked before anything is computed or shared for a job; `[]` lets it go on without a person. */
  objectionsTo(job: JobView): string[] | Promise<string[]>;
}

/** Bounds within which an agent acts by itself; everything else waits for a person. */
export const policyBounds = z.strictObject({
  minimumOwnCount: z.number().int().nonnegative(),
  dominancePercent: z.number().min(0).max(100).default(10),
  /** Data Use Ontology codes that are signed without asking. */
  purposes: z.array(z.string()),
  minimumCohort: z.number().int().positive(),
  releaseBudget: z.number().int().positive(),
  /** Longest period, in days. */
  days: z.number().positive(),
  /** Jobs under a signed agreement: `automatic` within `cellsPerJob`, or `ask` a person about every one. */
  jobs: z.enum(['automatic', 'ask']).default('automatic'),
  cellsPerJob: z.number().int().positive().default(200),
});
export type PolicyBounds = z.output<typeof policyBounds>;

const DAY_MS = 86_400_000;

/** The policy that acts within bounds and otherwise waits for a person. */
export function boundedPolicy(bounds: PolicyBounds): InstitutionPolicy {
  return {
    minimumOwnCount: bounds.minimumOwnCount,
    dominancePercent: bounds.dominancePercent,
    decide: ({ content: { permission } }) => {
      const days = (Date.parse(permission.until) - Date.parse(permission.from)) / DAY_MS;
      const reasons = outside(
        [!bounds.purposes.includes(permission.purpose), `the purpose is ${permission.purpose}`],
        [
          permission.minimumCohort < bounds.minimumCohort,
          `groups of ${permission.minimumCohort} patients may be released, below ${bounds.minimumCohort}`,
        ],
        [
          permission.releaseBudget > bounds.releaseBudget,
          `${permission.releaseBudget} cells may be released, more than ${bounds.releaseBudget}`,
        ],
        [days > bounds.days, `it lasts ${Math.ceil(days)} days, more than ${bounds.days}`],
      );
      return reasons.length === 0 ? { answer: 'sign' } : { answer: 'wait', reasons };
    },
    objectionsTo({ cells, vector }) {
      // The sums of a regression's step are numbers like any other.
      const numbers = cells.length + (vector?.length ?? 0);
      return outside(
        [bounds.jobs === 'ask', 'a person is asked about every job'],
        [numbers > bounds.cellsPerJob, `it has ${numbers} cells, more than ${bounds.cellsPerJob}`],
      );
    },
  };
}

function outside(...rules: [broken: boolean, reason: string][]): string[] {
  return rules.filter(([broken]) => broken).map(([, reason]) => reason);
}

import type { AgreementView } from '@strokeshare/chaincode';
import { z } from 'zod';

/** What an institution decides about an agreement that waits for its signature. */
export type Decision = { answer: 'sign' } | { answer: 'refuse'; reason: string } | { answer: 'wait' };

/** The rules of one institution; its agent asks them before it signs or takes part. */
export interface InstitutionPolicy {
  /** A cell in which the institution has fewer own patients is withheld. */
  readonly minimumOwnCount: number;
  /** The p of the p% rule: a sum is withheld in which one own patient stands out so far. */
  readonly dominancePercent: number;
  decide(agreement: AgreementView): Decision | Promise<Decision>;
}

/** Bounds within which an agent signs by itself; everything else waits for a person. */
export const policyBounds = z.strictObject({
  minimumOwnCount: z.number().int().nonnegative(),
  dominancePercent: z.number().min(0).max(100).default(10),
  /** Data Use Ontology codes that are signed without asking. */
  purposes: z.array(z.string()),
  minimumCohort: z.number().int().positive(),
  releaseBudget: z.number().int().positive(),
  /** Longest period, in days. */
  days: z.number().positive(),
});
export type PolicyBounds = z.output<typeof policyBounds>;

const DAY_MS = 86_400_000;

/** The policy that signs within bounds and otherwise waits for a person. */
export function boundedPolicy(bounds: PolicyBounds): InstitutionPolicy {
  return {
    minimumOwnCount: bounds.minimumOwnCount,
    dominancePercent: bounds.dominancePercent,
    decide: ({ content: { permission } }) => {
      const days = (Date.parse(permission.until) - Date.parse(permission.from)) / DAY_MS;
      const within =
        bounds.purposes.includes(permission.purpose) &&
        permission.minimumCohort >= bounds.minimumCohort &&
        permission.releaseBudget <= bounds.releaseBudget &&
        days <= bounds.days;
      return { answer: within ? 'sign' : 'wait' };
    },
  };
}

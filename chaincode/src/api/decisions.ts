/** What the permission function answers: yes or no, and which rule decided. */
import { z } from 'zod';

/** The steps of a job at which permission is decided. */
export const decisionSteps = ['submit', 'evaluate', 'countRelease', 'valueRelease'] as const;
export type DecisionStep = (typeof decisionSteps)[number];

/** The rules, in the order in which they are asked; the first that refuses decides. */
export const rules = [
  'identity',
  'agreement',
  'period',
  'purpose',
  'conditions',
  'datasets',
  'variables',
  'statistics',
  'plan',
  'disclosure',
  'budget',
] as const;
export type Rule = (typeof rules)[number];

export const refusalCodes = [
  'RESEARCHER_NOT_COVERED',
  'RESEARCHER_SUSPENDED',
  'AGREEMENT_NOT_ACTIVE',
  'AGREEMENT_NOT_YET_VALID',
  'AGREEMENT_EXPIRED',
  'AGREEMENT_AMENDED',
  'PURPOSE_NOT_COVERED',
  'CONDITION_NOT_MET',
  'DATASET_NOT_AVAILABLE',
  'EPOCH_NOT_ACTIVE',
  'VARIABLE_NOT_COVERED',
  'STATISTIC_NOT_COVERED',
  'PLAN_TOO_DEEP',
  'PLAN_TOO_LARGE',
  'RESULTS_EXHAUSTED',
  'REPEATED_RELEASE',
  'BUDGET_EXHAUSTED',
  'PRIVACY_BUDGET_EXHAUSTED',
  'EPOCH_BUDGET_EXHAUSTED',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

export const refusal = z.strictObject({
  step: z.enum(decisionSteps),
  rule: z.enum(rules),
  code: z.enum(refusalCodes),
  /** One sentence for a person. */
  reason: z.string(),
});
export type Refusal = z.infer<typeof refusal>;

export const decision = z.discriminatedUnion('allowed', [
  z.strictObject({ allowed: z.literal(true) }),
  z.strictObject({ allowed: z.literal(false), refusal }),
]);
export type Decision = z.infer<typeof decision>;

/** What an agreement grants of what was asked: never more of anything. */
import { type GrantedPart, type Permission } from '../api/permissions.js';

/** The permission with the granted part in the place of what was asked. */
export const withPart = (asked: Permission, part: GrantedPart = {}): Permission => ({
  ...asked,
  // What comes from JSON has no property that is undefined.
  ...(part as Partial<Permission>),
});

/**
 * In what a grant goes beyond what was asked, or undefined. A narrower grant has fewer datasets, variables and
 * statistics, a period within the period, at least the minimum cohort, at most the budgets, and at least the privacy.
 */
export function excessOf(asked: Permission, granted: Permission): string | undefined {
  const within = <T>(part: readonly T[], whole: readonly T[]): boolean =>
    part.every((item) => whole.includes(item));
  if (!within(granted.datasets, asked.datasets)) return 'datasets';
  if (!within(granted.variables, asked.variables)) return 'variables';
  if (!within(granted.statistics, asked.statistics)) return 'statistics';
  if (Date.parse(granted.from) < Date.parse(asked.from)) return 'from';
  if (Date.parse(granted.until) > Date.parse(asked.until)) return 'until';
  if (granted.minimumCohort < asked.minimumCohort) return 'minimumCohort';
  if (granted.releaseBudget > asked.releaseBudget) return 'releaseBudget';
  if (asked.privacy)
    if (
      !granted.privacy ||
      granted.privacy.budget > asked.privacy.budget ||
      granted.privacy.perValue > asked.privacy.perValue
    )
      return 'privacy';
  return undefined;
}

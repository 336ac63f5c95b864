/** The same agreement that the contract decides by, for a server that stands in its place. */

export interface Agreement {
  readonly researcher: string;
  readonly purpose: string;
  readonly variables: readonly string[];
  readonly statistics: readonly string[];
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly minimumCohort: number;
  /** Cells. */
  readonly releaseBudget: number;
}

/** Count and mean of one variable in each group of another. */
export interface Question {
  readonly purpose: string;
  readonly variable: string;
  readonly by: string;
}

/** Who asked what, and what was decided: the server keeps it. */
export interface Decision {
  readonly at: number;
  readonly researcher: string;
  readonly question: Question;
  /** Undefined where it was allowed. */
  readonly refusal?: string;
}

/** The contract's rules in the contract's order; undefined where all of them agree. */
export function refusalOf(
  agreement: Agreement,
  researcher: string,
  { purpose, variable, by }: Question,
  now: number,
  spent: number,
): string | undefined {
  if (researcher !== agreement.researcher) return 'RESEARCHER_NOT_COVERED';
  if (now < agreement.from) return 'AGREEMENT_NOT_YET_VALID';
  if (now >= agreement.until) return 'AGREEMENT_EXPIRED';
  if (purpose !== agreement.purpose) return 'PURPOSE_NOT_COVERED';
  if (![variable, by].every((name) => agreement.variables.includes(name))) return 'VARIABLE_NOT_COVERED';
  if (!['count', 'mean'].every((name) => agreement.statistics.includes(name))) return 'STATISTIC_NOT_COVERED';
  return spent >= agreement.releaseBudget ? 'BUDGET_EXHAUSTED' : undefined;
}

/**
 * Complementary suppression: a count below the minimum stays hidden only if it cannot be computed from the others that
 * are released. Where a total and its parts are asked for together, total = sum of the parts is an equation; one
 * hidden term alone can be solved for, and the hidden parts of a released total are known in their sum.
 *
 * The rule works on the totals and parts of one job. Source: Hundepool et al., "Statistical Disclosure Control"
 * (Wiley, 2012), chapter 4.
 */

/** One count of a job. */
export interface CountedGroup {
  cell: string;
  /** Columns whose product is counted. */
  factors: readonly string[];
  /** The group that the cell describes: variable to level. */
  labels: Readonly<Record<string, string>>;
  /** Absent where an institution withholds the cell: then it is hidden, and nobody here knows it. */
  count?: number;
}

/** A total and its parts by one variable. */
interface Equation {
  total: CountedGroup;
  parts: CountedGroup[];
}

/** Every patient: the factor that changes nothing. */
const ALL = '_row';

/**
 * The cells that may be released.
 *
 * @param minimum - the minimum cohort.
 */
export function releasable(groups: readonly CountedGroup[], minimum: number): Set<string> {
  const passing = new Set(groups.filter(({ count = 0 }) => count >= minimum).map(({ cell }) => cell));
  const equations = equationsOf(groups);
  for (;;) {
    const open = equations.find((equation) => isSolvable(equation, passing, minimum));
    const next = open && smallestPassing(open.parts, passing);
    if (!next) return passing;
    passing.delete(next.cell);
  }
}

/** Whether the equation gives away a hidden number, and hiding one more of its parts can mend that. */
function isSolvable({ total, parts }: Equation, passing: ReadonlySet<string>, minimum: number): boolean {
  const hidden = parts.filter(({ cell }) => !passing.has(cell));
  if (hidden.length === parts.length) return false;
  if (!passing.has(total.cell)) return hidden.length === 0;
  const together = hidden.reduce((sum, { count = 0 }) => sum + count, 0);
  return hidden.length === 1 || (hidden.length > 1 && together < minimum);
}

function smallestPassing(
  parts: readonly CountedGroup[],
  passing: ReadonlySet<string>,
): CountedGroup | undefined {
  return parts.filter(({ cell }) => passing.has(cell)).sort(order)[0];
}

/** By count, then by name, so that all holders come to the same. */
function order(a: CountedGroup, b: CountedGroup): number {
  return (a.count ?? 0) - (b.count ?? 0) || (a.cell < b.cell ? -1 : 1);
}

function equationsOf(groups: readonly CountedGroup[]): Equation[] {
  const byKey = new Map(groups.map((group) => [keyOf(group), group]));
  const equations = new Map<string, Equation>();
  for (const part of groups) {
    for (const variable of Object.keys(part.labels)) {
      const total = byKey.get(keyOf(part, variable));
      if (!total) continue;
      const name = JSON.stringify([total.cell, variable]);
      const equation = equations.get(name) ?? { total, parts: [] };
      equation.parts.push(part);
      equations.set(name, equation);
    }
  }
  return [...equations.values()];
}

/** Names what is counted (conditions, patients with a value) and the group, left out one variable. */
function keyOf({ factors, labels }: CountedGroup, without?: string): string {
  const pairs = Object.entries(labels).map(([variable, level]) => `${variable}=${level}`);
  const base = factors.filter((factor) => factor !== ALL && !pairs.includes(factor));
  const group = Object.entries(labels).filter(([variable]) => variable !== without);
  return JSON.stringify([base.sort(), group.map(([variable, level]) => `${variable}=${level}`).sort()]);
}

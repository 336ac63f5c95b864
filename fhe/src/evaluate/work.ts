/** The part of a plan that some of its cells need. */
import { FheError } from '../errors.js';
import { type AnalysisPlan, type PlanCell, type PlanProduct } from '../plan/types.js';

/** Columns, inner products (operands first) and cells to evaluate. */
export interface Work {
  columns: string[];
  columnPrimes?: Record<string, number>;
  products: PlanProduct[];
  cells: PlanCell[];
}

/**
 * What has to be evaluated for the named cells; see `costOf` for what it takes.
 * @throws FheError ARGUMENT_INVALID for a cell that the plan does not have, or one named twice.
 */
export function workOf(plan: AnalysisPlan, cellIds: readonly string[]): Work {
  const byId = new Map(plan.cells.map((cell) => [cell.id, cell]));
  if (cellIds.length === 0 || new Set(cellIds).size !== cellIds.length)
    throw new FheError('ARGUMENT_INVALID', 'Name at least one cell, and none twice.');
  const cells = cellIds.map((id) => {
    const cell = byId.get(id);
    if (!cell) throw new FheError('ARGUMENT_INVALID', `The plan has no cell ${id}.`);
    return cell;
  });
  const needed = new Set(cells.flatMap((cell): string[] => cell.operands));
  // Operands come before their uses, so one walk from the end finds all.
  const products = plan.products.toReversed().filter((product) => {
    if (!needed.has(product.id)) return false;
    needed.add(product.left).add(product.right);
    return true;
  });
  return {
    columns: plan.columns.filter((name) => needed.has(name)),
    ...(plan.columnPrimes && { columnPrimes: plan.columnPrimes }),
    products: products.reverse(),
    cells,
  };
}

/**
 * The account of zero-concentrated differential privacy: values add up, rho by rho.
 *
 * Source: Bun, Steinke, "Concentrated Differential Privacy: Simplifications, Extensions, and Lower Bounds", TCC 2016-B,
 * lemma 1.7 (composition).
 */
import { z } from 'zod';
import { FheError } from '../errors.js';
import type { Rational } from '../release/rational.js';

const rational = z.strictObject({
  numerator: z.string().regex(/^\d{1,400}$/),
  denominator: z.string().regex(/^[1-9]\d{0,399}$/),
});
const stateSchema = z.strictObject({
  version: z.literal(1),
  budget: rational,
  spent: z.array(z.strictObject({ id: z.string().min(1), rho: rational })),
});
/** Plain JSON. */
export type PrivacyState = z.infer<typeof stateSchema>;

const read = ({ numerator, denominator }: z.infer<typeof rational>): Rational => ({
  numerator: BigInt(numerator),
  denominator: BigInt(denominator),
});
const write = ({ numerator, denominator }: Rational) => ({
  numerator: String(numerator),
  denominator: String(denominator),
});
const add = (a: Rational, b: Rational): Rational =>
  reduced(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);

function reduced(numerator: bigint, denominator: bigint): Rational {
  let [a, b] = [numerator, denominator];
  while (b > 0n) [a, b] = [b, a % b];
  return a === 0n
    ? { numerator: 0n, denominator: 1n }
    : { numerator: numerator / a, denominator: denominator / a };
}

export class PrivacyAccount {
  private readonly values = new Map<string, Rational>();
  private total: Rational = { numerator: 0n, denominator: 1n };

  /** @param budget rho that may be spent in all */
  constructor(readonly budget: Rational) {
    if (budget.numerator <= 0n || budget.denominator <= 0n) {
      throw new FheError('ARGUMENT_INVALID', 'A privacy budget is positive.');
    }
  }

  /**
   * Restores what {@link toJSON} gave.
   *
   * @throws FheError JOURNAL_MALFORMED, PRIVACY_BUDGET_EXHAUSTED
   */
  static restore(state: unknown): PrivacyAccount {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) {
      throw new FheError('JOURNAL_MALFORMED', 'The privacy account has no known form.', {
        cause: parsed.error,
      });
    }
    const account = new PrivacyAccount(read(parsed.data.budget));
    for (const { id, rho } of parsed.data.spent) account.spend(id, read(rho));
    return account;
  }

  /** Sum of all that was spent. */
  get spent(): Rational {
    return this.total;
  }

  /**
   * Spends rho on one released value, before it is released. The same value on the same terms is spent once.
   *
   * @param id the value's name: a replacement committee draws new noise, so the committee belongs to the name
   * @throws FheError PRIVACY_BUDGET_EXHAUSTED, ARGUMENT_INVALID for a value that was spent on other terms
   */
  spend(id: string, rho: Rational): void {
    if (id === '' || rho.numerator <= 0n || rho.denominator <= 0n) {
      throw new FheError('ARGUMENT_INVALID', 'A value has a name, and what it costs is positive.');
    }
    const known = this.values.get(id);
    if (known) {
      if (known.numerator * rho.denominator === rho.numerator * known.denominator) return;
      throw new FheError('ARGUMENT_INVALID', `The value ${id} was spent at another cost.`);
    }
    const total = add(this.total, rho);
    if (total.numerator * this.budget.denominator > this.budget.numerator * total.denominator) {
      throw new FheError('PRIVACY_BUDGET_EXHAUSTED', 'The privacy budget does not cover this value.');
    }
    this.values.set(id, rho);
    this.total = total;
  }

  toJSON(): PrivacyState {
    const spent = Array.from(this.values, ([id, rho]) => ({ id, rho: write(rho) }));
    return { version: 1, budget: write(this.budget), spent };
  }
}

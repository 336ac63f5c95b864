import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A value of the stored oracles: whatever path is asked for must be there. */
export class Oracle {
  private constructor(
    private readonly path: string,
    private readonly value: unknown,
  ) {}

  /** The truths that `ist.py` computed. */
  static ist(): Oracle {
    return new Oracle('ist', JSON.parse(readFileSync(join(__dirname, 'ist.json'), 'utf8')));
  }

  at(...keys: (string | number)[]): Oracle {
    return keys.reduce<Oracle>((oracle, key) => oracle.child(key), this);
  }

  /** The truths that `edges.py` computed. */
  static edges(): Oracle {
    return new Oracle('edges', JSON.parse(readFileSync(join(__dirname, 'edges.json'), 'utf8')));
  }

  number(...keys: (string | number)[]): number {
    const { path, value } = this.at(...keys);
    if (typeof value !== 'number') throw new TypeError(`${path} is not a number`);
    return value;
  }

  numbers(...keys: (string | number)[]): number[] {
    return this.at(...keys)
      .items()
      .map((item) => item.number());
  }

  table(...keys: (string | number)[]): number[][] {
    return this.at(...keys)
      .items()
      .map((item) => item.numbers());
  }

  text(...keys: (string | number)[]): string {
    const { path, value } = this.at(...keys);
    if (typeof value !== 'string') throw new TypeError(`${path} is not a text`);
    return value;
  }

  texts(...keys: (string | number)[]): string[] {
    return this.at(...keys)
      .items()
      .map((item) => item.text());
  }

  items(...keys: (string | number)[]): Oracle[] {
    const { path, value } = this.at(...keys);
    if (!Array.isArray(value)) throw new TypeError(`${path} is not a list`);
    return value.map((item, i) => new Oracle(`${path}.${i}`, item));
  }

  private child(key: string | number): Oracle {
    const path = `${this.path}.${key}`;
    if (typeof this.value !== 'object' || this.value === null || !Object.hasOwn(this.value, key))
      throw new TypeError(`there is no ${path}`);
    return new Oracle(path, (this.value as Record<string | number, unknown>)[key]);
  }
}

/** Largest difference that rounding explains: relative to the truth, absolute near 0. */
export function expectClose(actual: number, truth: number, tolerance = 1e-9): void {
  const scale = Math.max(1e-3, Math.abs(truth));
  if (!(Math.abs(actual - truth) <= tolerance * scale))
    throw new Error(`${actual} is not within ${tolerance} relative of ${truth}`);
}

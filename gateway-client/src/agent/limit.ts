/** So many pieces of work at once and no more, begun in the order of asking. */
export class Limit {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Runs a piece of work when its turn comes. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

import { hash } from 'node:crypto';

/** Finds names that come more than once, in sixteen bytes of memory for each. */
export class Names {
  /** Of the names' SHA-256 the first eight bytes: two of a million names are taken for one with a chance of 3e-8. */
  private digests = new BigUint64Array(1024);
  private lines = new Float64Array(1024);
  private count = 0;

  /** @param line - of the table. */
  add(name: string, line: number): void {
    if (this.count === this.digests.length) {
      const { digests, lines } = this;
      this.digests = new BigUint64Array(2 * this.count);
      this.digests.set(digests);
      this.lines = new Float64Array(2 * this.count);
      this.lines.set(lines);
    }
    this.digests[this.count] = hash('sha256', name, 'buffer').readBigUInt64LE();
    this.lines[this.count] = line;
    this.count += 1;
  }

  /** The lines whose name another line has, too. */
  repeated(): number[] {
    const digests = this.digests.subarray(0, this.count);
    const sorted = digests.toSorted();
    const twice = new Set(sorted.filter((digest, i) => i > 0 && digest === sorted[i - 1]));
    const repeated: number[] = [];
    if (twice.size > 0)
      digests.forEach((digest, i) => twice.has(digest) && repeated.push(this.lines[i] ?? 0));
    return repeated;
  }
}

/** Seeded mutation of bytes: the same seed gives the same inputs. */

/** Words that break arithmetic which is not careful. */
const words = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffffn,
  1n << 31n,
  1n << 32n,
  1n << 59n,
  1n << 60n,
  1n << 63n,
  (1n << 64n) - 1n,
];
const octets = [0, 1, 2, 0x10, 0x7f, 0x80, 0xfe, 0xff];
/** Half of all mutations fall into the first bytes, where headers are. */
const headerBytes = 300;

export class Mutator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number below `limit` (Mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % Math.max(1, limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /**
   * One to four changes of a sample.
   * @param others where spliced bytes come from
   * @param special words of the format under test: primes and lengths
   */
  mutate(sample: Uint8Array, others: readonly Uint8Array[], special: readonly bigint[]): Uint8Array {
    let bytes: Uint8Array = sample.slice();
    for (let changes = 1 + this.below(4); changes > 0; changes--)
      bytes = this.#change(bytes, others, special);
    return bytes;
  }

  #change(bytes: Uint8Array, others: readonly Uint8Array[], special: readonly bigint[]): Uint8Array {
    const { length } = bytes;
    if (length === 0) return Uint8Array.of(this.below(256));
    const at = this.#position(length);
    const span = 1 + this.below(Math.min(64, length));
    switch (this.below(10)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << this.below(8));
        return bytes;
      case 1:
        bytes[at] = this.pick(octets);
        return bytes;
      case 2:
        bytes[at] = this.below(256);
        return bytes;
      case 3:
      case 4:
        return this.#writeWord(bytes, at, special);
      case 5:
        return bytes.subarray(0, at).slice();
      case 6:
        return joined(
          bytes,
          Uint8Array.from({ length: span }, () => this.below(256)),
        );
      case 7:
        return joined(bytes.subarray(0, at), bytes.subarray(Math.min(length, at + span)));
      case 8:
        return joined(bytes.subarray(0, at), bytes.subarray(at, at + span), bytes.subarray(at));
      default:
        return this.#splice(bytes, at, this.pick(others));
    }
  }

  #position(length: number): number {
    return this.below(2) === 0 ? this.below(Math.min(length, headerBytes)) : this.below(length);
  }

  #writeWord(bytes: Uint8Array, at: number, special: readonly bigint[]): Uint8Array {
    if (bytes.length < 8) return bytes;
    const word = this.pick([...words, ...special]) + BigInt(this.below(3) - 1);
    new DataView(bytes.buffer).setBigUint64(Math.min(at, bytes.length - 8), BigInt.asUintN(64, word), true);
    return bytes;
  }

  #splice(bytes: Uint8Array, at: number, other: Uint8Array): Uint8Array {
    const from = this.#position(Math.max(1, other.length));
    const part = other.subarray(from, from + 1 + this.below(Math.min(256, bytes.length - at)));
    bytes.set(part.subarray(0, bytes.length - at), at);
    return bytes;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Cursors over SEAL's saved bytes: one that checks as it reads, one that writes. */
import { FheError, type FheErrorCode } from '../errors.js';

const headerLength = 16;
const parmsIdLength = 32;

/** Reads consecutive fields, each compared with the value it must have. */
export class Fields {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly code: FheErrorCode,
    public offset = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(what: string): FheError {
    return new FheError(this.code, `SEAL bytes refused: ${what}.`);
  }

  need(length: number): void {
    if (this.bytes.length < this.offset + length) throw this.fail('they end too early');
  }

  header(total: number): void {
    this.need(headerLength);
    const view = this.view;
    const at = this.offset;
    if (view.getUint16(at, true) !== 0xa15e || view.getUint8(at + 2) !== headerLength)
      throw this.fail('magic');
    if (view.getUint8(at + 3) !== 4 || view.getUint8(at + 4) !== 1) throw this.fail('the version is not 4.1');
    if (view.getUint8(at + 5) !== 0) throw this.fail('they are compressed');
    if (view.getUint16(at + 6, true) !== 0) throw this.fail('reserved bytes are set');
    if (view.getBigUint64(at + 8, true) !== BigInt(total)) throw this.fail('the total size differs');
    this.offset += headerLength;
  }

  parmsId(candidates: readonly Uint8Array[]): number {
    this.need(parmsIdLength);
    const at = this.offset;
    const found = candidates.findIndex((id) => id.every((byte, i) => byte === this.bytes[at + i]));
    if (found < 0) throw this.fail('the parms_id is not one of this parameter set');
    this.offset += parmsIdLength;
    return found;
  }

  byte(): number {
    this.need(1);
    return this.view.getUint8(this.offset++);
  }

  u64(): bigint {
    this.need(8);
    this.offset += 8;
    return this.view.getBigUint64(this.offset - 8, true);
  }

  exactly(value: number, what: string): void {
    if (this.u64() !== BigInt(value)) throw this.fail(`the ${what} differs`);
  }

  f64(): number {
    this.need(8);
    this.offset += 8;
    return this.view.getFloat64(this.offset - 8, true);
  }
}

/** Writes consecutive fields. */
export class Writer {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private offset = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  header(total: number): this {
    this.put(Uint8Array.of(0x5e, 0xa1, headerLength, 4, 1, 0, 0, 0));
    return this.u64(total);
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.offset);
    this.offset += bytes.length;
    return this;
  }

  u64(value: number): this {
    this.view.setBigUint64(this.offset, BigInt(value), true);
    this.offset += 8;
    return this;
  }

  f64(value: number): this {
    this.view.setFloat64(this.offset, value, true);
    this.offset += 8;
    return this;
  }
}

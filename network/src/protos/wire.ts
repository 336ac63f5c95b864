/**
 * Protobuf messages in pieces. google-protobuf's classes copy a value at every level of nesting, and Fabric nests a
 * written value ten levels deep; here the pieces are only gathered, and copied once where one run of bytes is needed.
 * With fields in ascending order the bytes are those that google-protobuf and Go write.
 */
export class Wire {
  readonly length: number;

  constructor(readonly pieces: readonly Uint8Array[]) {
    this.length = pieces.reduce((sum, { length }) => sum + length, 0);
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.pieces, this.length);
  }
}

type Value = Wire | Uint8Array;

/** A message of these fields. */
export function wire(...fields: readonly Wire[]): Wire {
  return new Wire(fields.flatMap(({ pieces }) => pieces));
}

/** A field of bytes or text, which proto3 leaves out where it is empty. */
export function bytesField(number: number, value: Value | string): Wire {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return bytes.length === 0 ? nothing : delimitedField(number, bytes);
}

/** A message, or an element of repeated bytes: there even where it is empty. */
export function delimitedField(number: number, value: Value): Wire {
  const head = [...varint(number * 8 + 2), ...varint(value.length)];
  return new Wire([Uint8Array.from(head), ...(value instanceof Wire ? value.pieces : [value])]);
}

/** A number or enum value, which proto3 leaves out where it is 0. */
export function numberField(number: number, value: number): Wire {
  return value === 0 ? nothing : new Wire([Uint8Array.from([...varint(number * 8), ...varint(value)])]);
}

const nothing = new Wire([]);

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

import { type AbstractSnapshot } from 'abstract-level';
import { type ClassicLevel } from 'classic-level';
import { asBuffer } from '../protos/bytes.js';

/** Where a value was written: the block and the transaction's position in it. */
export interface Version {
  readonly block: number;
  readonly tx: number;
}

export interface VersionedValue {
  readonly value: Uint8Array;
  /** Serialized metadata of the key (a KVMetadataWrite without its key); empty if there is none. */
  readonly metadata: Uint8Array;
  readonly version: Version;
}

export interface KeyedValue extends VersionedValue {
  readonly key: string;
}

export type Level = ClassicLevel<Buffer, Buffer>;
export type Snapshot = AbstractSnapshot;
export type Operation = { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer };

export function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.block === b.block && a.tx === b.tx;
}

const statePrefix = 0x73; // s
const iteratorBatch = 100;

/** `s`, namespace, 0, key: sorts as Fabric's LevelDB sorts, by UTF-8 bytes. */
export function stateKey(namespace: string, key: string): Buffer {
  return Buffer.concat([Buffer.of(statePrefix), Buffer.from(namespace), Buffer.of(0), Buffer.from(key)]);
}

export function encodeValue({ value, metadata, version }: VersionedValue): Buffer {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(BigInt(version.block), 0);
  head.writeBigUInt64BE(BigInt(version.tx), 8);
  head.writeUInt32BE(metadata.length, 16);
  return Buffer.concat([head, metadata, value]);
}

function decodeValue(bytes: Buffer): VersionedValue {
  const metadataEnd = 20 + bytes.readUInt32BE(16);
  return {
    version: { block: Number(bytes.readBigUInt64BE(0)), tx: Number(bytes.readBigUInt64BE(8)) },
    metadata: bytes.subarray(20, metadataEnd),
    value: bytes.subarray(metadataEnd),
  };
}

/** The current values of a channel on one peer, in the peer's LevelDB. */
export class StateDb {
  constructor(private readonly db: Level) {}

  get(namespace: string, key: string, snapshot?: Snapshot): VersionedValue | undefined {
    const bytes = this.db.getSync(stateKey(namespace, key), { snapshot });
    return bytes === undefined ? undefined : decodeValue(asBuffer(bytes));
  }

  /** Values from `start` up to but without `end`; an empty `end` means to the last key. */
  range(namespace: string, start: string, end: string, snapshot?: Snapshot): StateIterator {
    const last = stateKey(namespace, end);
    // The end of a namespace is one above the 0 that closes its name.
    if (end === '') last[last.length - 1] = 1;
    const prefix = stateKey(namespace, '').length;
    const iterator = this.db.iterator({ gte: stateKey(namespace, start), lt: last, snapshot });
    return new StateIterator(iterator, prefix);
  }
}

/** Reads a range in order, a batch at a time. */
export class StateIterator {
  #batch: [Buffer, Buffer][] = [];
  #position = 0;
  #closed = false;

  constructor(
    private readonly iterator: ReturnType<Level['iterator']>,
    private readonly prefix: number,
  ) {}

  async next(): Promise<KeyedValue | undefined> {
    if (this.#closed) return undefined;
    if (this.#position >= this.#batch.length) {
      this.#batch = (await this.iterator.nextv(iteratorBatch)) as [Buffer, Buffer][];
      this.#position = 0;
    }
    const entry = this.#batch[this.#position++];
    if (!entry) return undefined;
    return { key: entry[0].toString('utf8', this.prefix), ...decodeValue(asBuffer(entry[1])) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.iterator.close();
  }
}

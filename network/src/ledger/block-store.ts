import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Block, blockDataMatches, blockHeaderHash, decodeBlock, encodeBlock } from '../protos/block.js';
import { equalBytes } from '../protos/bytes.js';
import { LedgerError } from './ledger-error.js';

/**
 * Blocks in append-only files. A record is a head of three 4-byte numbers, big endian (length of the block, CRC-32 of
 * the block, CRC-32 of these two), and the serialized block; `append` returns after fsync. The hashes inside a block protect its data, the checksum also its metadata.
 * What a crash left half-written at the end is cut off on opening; damage anywhere else is reported and not served.
 */

const headBytes = 12;
const segmentBytes = 64 * 1024 * 1024;
const cacheBytes = 16 * 1024 * 1024;

interface Location {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

interface RecordHead {
  readonly length: number;
  readonly checksum: number;
}

function writeHead({ length, checksum }: RecordHead): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(length, 0);
  head.writeUInt32BE(checksum, 4);
  head.writeUInt32BE(crc32(head.subarray(0, 8)), 8);
  return head;
}

/** A head of zeros was allocated, but not written; any other wrong one is damage, for it is written as one piece. */
function readHead(bytes: Buffer): RecordHead | 'unwritten' | 'damaged' {
  if (bytes.every((byte) => byte === 0)) return 'unwritten';
  if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) return 'damaged';
  return { length: bytes.readUInt32BE(0), checksum: bytes.readUInt32BE(4) };
}

/** All nodes of a network store the same header and data, whose checksum the first of them computes. */
const checksums = new WeakMap<Block['header'], { data: Block['data']; checksum: number }>();

function serialize(block: Block): { pieces: readonly Uint8Array[] } & RecordHead {
  const { common, metadata } = encodeBlock(block);
  const known = checksums.get(block.header);
  const checksum = known?.data === block.data ? known.checksum : checksumOf(common.pieces);
  checksums.set(block.header, { data: block.data, checksum });
  return {
    pieces: [...common.pieces, ...metadata.pieces],
    length: common.length + metadata.length,
    checksum: checksumOf(metadata.pieces, checksum),
  };
}

function checksumOf(pieces: readonly Uint8Array[], before = 0): number {
  return pieces.reduce((checksum, piece) => crc32(piece, checksum), before);
}

function segmentName(segment: number): string {
  return `blocks_${String(segment).padStart(6, '0')}`;
}

export class BlockStore {
  readonly #locations: Location[] = [];
  readonly #segments: FileHandle[] = [];
  readonly #cache = new Map<number, { block: Block; bytes: number }>();
  #cachedBytes = 0;
  #lastHash: Uint8Array = new Uint8Array(0);
  #damage: string | undefined;

  private constructor(private readonly dir: string) {}

  /**
   * Opens or creates the store.
   *
   * @throws LedgerError BLOCK_DAMAGED where the last whole block is not what was written
   */
  static async open(dir: string): Promise<BlockStore> {
    const created = mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (let path = dir; created !== undefined && path.length >= created.length; path = dirname(path)) {
      syncFolder(dirname(path));
    }
    const store = new BlockStore(dir);
    try {
      await store.#load();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** Number of blocks; the next block has this number. */
  get height(): number {
    return this.#locations.length;
  }

  /** Hash of the last block's header; empty before the first block. */
  get lastHash(): Uint8Array {
    return this.#lastHash;
  }

  /** The first damage that reading came upon. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** Writes the next block and waits until it is on the disk. */
  async append(block: Block): Promise<void> {
    if (block.header.number !== this.height) {
      throw new Error(`block number should have been ${this.height} but was ${block.header.number}`);
    }
    if (!equalBytes(block.header.previousHash, this.#lastHash)) {
      throw new Error(`unexpected Previous block hash in block ${block.header.number}`);
    }
    const record = serialize(block);
    const last = this.#locations.at(-1);
    let segment = last?.segment ?? 0;
    let offset = last ? last.offset + last.length : 0;
    if (offset > 0 && offset + headBytes + record.length > segmentBytes) {
      segment++;
      offset = 0;
    }
    const file = this.#segments[segment] ?? (await this.#addSegment(segment));
    const { bytesWritten } = await file.writev([writeHead(record), ...record.pieces], offset);
    if (bytesWritten !== headBytes + record.length)
      throw new Error(`only ${bytesWritten} bytes of block ${block.header.number} could be written`);
    await file.datasync();
    this.#locations.push({ segment, offset, length: headBytes + record.length });
    this.#lastHash = blockHeaderHash(block.header);
    this.#remember(block, record.length);
  }

  /**
   * Reads a block and checks it against its checksum and hashes.
   *
   * @throws LedgerError BLOCK_MISSING, BLOCK_DAMAGED
   */
  async read(number: number): Promise<Block> {
    const cached = this.#cache.get(number);
    if (cached) return cached.block;
    const location = this.#locations[number];
    const file = location && this.#segments[location.segment];
    if (!file) throw new LedgerError('BLOCK_MISSING', `Entry not found in index: no block ${number}.`);
    const record = Buffer.alloc(location.length);
    const { bytesRead } = await file.read(record, 0, location.length, location.offset);
    const bytes = record.subarray(headBytes);
    const damaged = (what: string): LedgerError =>
      this.#damaged(
        `Block ${number} in ${join(this.dir, segmentName(location.segment))} is damaged: ${what}.`,
      );
    if (bytesRead !== location.length) throw damaged('the file is too short');
    if (crc32(bytes) !== record.readUInt32BE(4)) throw damaged('its checksum is wrong');
    let block: Block;
    try {
      block = decodeBlock(bytes);
    } catch {
      throw damaged('it cannot be read');
    }
    if (block.header.number !== number) throw damaged(`it says that it is block ${block.header.number}`);
    if (!blockDataMatches(block)) throw damaged('its data hash is wrong');
    this.#remember(block, bytes.length);
    return block;
  }

  /**
   * Reads every block and follows the chain of hashes.
   *
   * @throws LedgerError BLOCK_DAMAGED
   */
  async verify(): Promise<void> {
    this.#cache.clear();
    this.#cachedBytes = 0;
    let previous: Uint8Array = new Uint8Array(0);
    for (let number = 0; number < this.height; number++) {
      const block = await this.read(number);
      if (!equalBytes(block.header.previousHash, previous)) {
        throw this.#damaged(`Block ${number} in ${this.dir} does not follow block ${number - 1}.`);
      }
      previous = blockHeaderHash(block.header);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#segments.splice(0).map((file) => file.close()));
  }

  async #load(): Promise<void> {
    const names = (await readdir(this.dir)).filter((name) => /^blocks_\d{6}$/.test(name)).sort();
    for (const [segment, name] of names.entries()) {
      if (name !== segmentName(segment)) {
        throw new LedgerError(
          'BLOCK_MISSING',
          `The block file ${segmentName(segment)} in ${this.dir} is missing.`,
        );
      }
      await this.#loadSegment(segment, segment === names.length - 1);
    }
    if (this.height > 0) this.#lastHash = blockHeaderHash((await this.read(this.height - 1)).header);
  }

  async #loadSegment(segment: number, isLast: boolean): Promise<void> {
    const file = await this.#addSegment(segment);
    const path = join(this.dir, segmentName(segment));
    const { size } = await file.stat();
    const bytes = Buffer.alloc(headBytes);
    let offset = 0;
    while (offset < size) {
      const { bytesRead } = await file.read(bytes, 0, headBytes, offset);
      const head = bytesRead === headBytes ? readHead(bytes) : 'unwritten';
      const end = typeof head === 'string' ? size : offset + headBytes + head.length;
      if (head === 'damaged' || (end > size && !isLast)) {
        throw new LedgerError(
          'BLOCK_DAMAGED',
          `Block ${this.height} in ${path} is damaged: its length is wrong.`,
        );
      }
      const unfinished =
        head === 'unwritten' ||
        end > size ||
        (end === size && isLast && !(await this.#sound(file, offset, head)));
      if (unfinished) {
        // The last write did not reach the disk, so it was never announced.
        truncate(path, offset);
        return;
      }
      this.#locations.push({ segment, offset, length: end - offset });
      offset = end;
    }
  }

  async #sound(file: FileHandle, offset: number, head: RecordHead): Promise<boolean> {
    const bytes = Buffer.alloc(head.length);
    await file.read(bytes, 0, bytes.length, offset + headBytes);
    return crc32(bytes) === head.checksum;
  }

  async #addSegment(segment: number): Promise<FileHandle> {
    const path = join(this.dir, segmentName(segment));
    const isNew = !existsSync(path);
    const file = await open(path, isNew ? 'w+' : 'r+', 0o600);
    if (isNew) syncFolder(this.dir);
    this.#segments[segment] = file;
    return file;
  }

  #damaged(message: string): LedgerError {
    this.#damage ??= message;
    return new LedgerError('BLOCK_DAMAGED', message);
  }

  #remember(block: Block, bytes: number): void {
    this.#cache.set(block.header.number, { block, bytes });
    this.#cachedBytes += bytes;
    for (const [number, entry] of this.#cache) {
      if (this.#cachedBytes <= cacheBytes || this.#cache.size === 1) break;
      this.#cache.delete(number);
      this.#cachedBytes -= entry.bytes;
    }
  }
}

function truncate(path: string, length: number): void {
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A new file's name is on the disk only when its folder is. */
function syncFolder(dir: string): void {
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

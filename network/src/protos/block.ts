import { common } from '@hyperledger/fabric-protos';
import { equalBytes, sha256 } from './bytes.js';
import { bytesField, delimitedField, numberField, type Wire, wire } from './wire.js';

/**
 * Blocks as Fabric links and stores them. The header's hash covers an ASN.1 SEQUENCE of number, previous hash and data
 * hash (protoutil/blockutils.go); the metadata is outside it, which is why a stored block carries a checksum too.
 */

export interface BlockHeader {
  readonly number: number;
  readonly previousHash: Uint8Array;
  readonly dataHash: Uint8Array;
}

export interface Block {
  readonly header: BlockHeader;
  /** Serialized envelopes, in order. */
  readonly data: readonly Uint8Array[];
  /** By `common.BlockMetadataIndex`. */
  readonly metadata: readonly Uint8Array[];
}

/** Positions in `Block.metadata`. */
export const metadataIndex = {
  signatures: 0,
  lastConfig: 1,
  transactionsFilter: 2,
  orderer: 3,
  commitHash: 4,
} as const;

const empty = new Uint8Array(0);

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function der(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content]);
}

function derInteger(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.unshift(rest % 256);
    rest = Math.floor(rest / 256);
  } while (rest > 0);
  if ((bytes[0] ?? 0) & 0x80) bytes.unshift(0);
  return der(0x02, Buffer.from(bytes));
}

/** DER of SEQUENCE { number INTEGER, previousHash OCTET STRING, dataHash OCTET STRING }. */
export function blockHeaderBytes(header: BlockHeader): Buffer {
  return der(
    0x30,
    Buffer.concat([derInteger(header.number), der(0x04, header.previousHash), der(0x04, header.dataHash)]),
  );
}

export function blockHeaderHash(header: BlockHeader): Buffer {
  return sha256(blockHeaderBytes(header));
}

export function blockDataHash(data: readonly Uint8Array[]): Buffer {
  return sha256(...data);
}

/** True if the header's data hash is that of the data. */
export function blockDataMatches(block: Block): boolean {
  return equalBytes(block.header.dataHash, blockDataHash(block.data));
}

export function newBlock(number: number, previousHash: Uint8Array, data: readonly Uint8Array[]): Block {
  return {
    header: { number, previousHash, dataHash: blockDataHash(data) },
    data,
    metadata: [empty, empty, empty, empty, empty],
  };
}

/** The same block with one metadata entry replaced. */
export function withMetadata(block: Block, index: number, value: Uint8Array): Block {
  const metadata = [...block.metadata];
  while (metadata.length <= index) metadata.push(empty);
  metadata[index] = value;
  return { ...block, metadata };
}

export function blockMessage(block: Block): common.Block {
  const header = new common.BlockHeader();
  header.setNumber(block.header.number);
  header.setPreviousHash(block.header.previousHash);
  header.setDataHash(block.header.dataHash);
  const data = new common.BlockData();
  data.setDataList([...block.data]);
  const metadata = new common.BlockMetadata();
  metadata.setMetadataList([...block.metadata]);
  const message = new common.Block();
  message.setHeader(header);
  message.setData(data);
  message.setMetadata(metadata);
  return message;
}

/**
 * The serialized block, which is `common` and then `metadata`. The first part, almost all of it, is the same on every
 * node, and the metadata is where the copies differ.
 */
export function encodeBlock({ header, data, metadata }: Block): { common: Wire; metadata: Wire } {
  const headerMessage = wire(
    numberField(1, header.number),
    bytesField(2, header.previousHash),
    bytesField(3, header.dataHash),
  );
  const elements = (list: readonly Uint8Array[]): Wire =>
    wire(...list.map((bytes) => delimitedField(1, bytes)));
  return {
    common: wire(delimitedField(1, headerMessage), delimitedField(2, elements(data))),
    metadata: delimitedField(3, elements(metadata)),
  };
}

/** @throws Error where the bytes are not a block with a header */
export function decodeBlock(bytes: Uint8Array): Block {
  const message = common.Block.deserializeBinary(bytes);
  const header = message.getHeader();
  if (!header) throw new Error('The bytes are not a block: no header.');
  return {
    header: {
      number: header.getNumber(),
      previousHash: header.getPreviousHash_asU8(),
      dataHash: header.getDataHash_asU8(),
    },
    data: message.getData()?.getDataList_asU8() ?? [],
    metadata: message.getMetadata()?.getMetadataList_asU8() ?? [],
  };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { Identity, parseIdentity } from '../msp/identity.js';
import {
  type Block,
  blockDataMatches,
  blockHeaderBytes,
  blockHeaderHash,
  decodeBlock,
  encodeBlock,
  metadataIndex,
  newBlock,
} from './block.js';

interface Vectors {
  readonly genesis: { readonly number: number; readonly previousHash: string; readonly dataHash: string };
  readonly blocks: readonly string[];
}

const vectors = JSON.parse(
  readFileSync(join(__dirname, '../../test/vectors/orderer-blocks.json'), 'utf8'),
) as Vectors;
const bytes = vectors.blocks.map((block) => Buffer.from(block, 'base64'));
const [first, second] = bytes.map((block) => decodeBlock(block)) as [Block, Block];
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const encoded = (block: Block): string => {
  const { common: same, metadata } = encodeBlock(block);
  return hex(Buffer.concat([...same.pieces, ...metadata.pieces]));
};

describe('blocks of a real orderer', () => {
  it('are linked by the hash of the header before', () => {
    const genesis = {
      number: vectors.genesis.number,
      previousHash: Buffer.from(vectors.genesis.previousHash, 'hex'),
      dataHash: Buffer.from(vectors.genesis.dataHash, 'hex'),
    };
    expect(hex(blockHeaderHash(genesis))).toBe(hex(first.header.previousHash));
    expect(hex(blockHeaderHash(first.header))).toBe(hex(second.header.previousHash));
  });

  it('carry the hash of their data', () => {
    expect(blockDataMatches(first)).toBe(true);
    expect(blockDataMatches(second)).toBe(true);
    const [data = new Uint8Array(0)] = second.data;
    const changed = Buffer.from(data);
    changed[10] = (changed[10] ?? 0) ^ 1;
    expect(blockDataMatches({ ...second, data: [changed] })).toBe(false);
  });

  it('are written as they were read', () => {
    expect(encoded(first)).toBe(hex(bytes[0]!));
    expect(encoded(second)).toBe(hex(bytes[1]!));
  });

  it('are signed over the header as we compute it', () => {
    const metadata = common.Metadata.deserializeBinary(second.metadata[metadataIndex.signatures]!);
    // A Raft orderer names itself in the signature header.
    const [signature] = metadata.getSignaturesList();
    const header = signature!.getSignatureHeader_asU8();
    const { mspId, pem } = parseIdentity(common.SignatureHeader.deserializeBinary(header).getCreator_asU8());
    const signed = Buffer.concat([metadata.getValue_asU8(), header, blockHeaderBytes(second.header)]);
    expect(mspId).toBe('OrdererMSP');
    expect(new Identity(mspId, pem).verify(signed, signature!.getSignature_asU8())).toBe(true);
  });
});

describe('block headers', () => {
  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [256, '02020100'],
    [2 ** 32, '02050100000000'],
    [Number.MAX_SAFE_INTEGER, '02071fffffffffffff'],
  ])('encode the number %d as DER', (number, der) => {
    const { header } = newBlock(number, new Uint8Array(0), []);
    expect(hex(blockHeaderBytes(header)).slice(4, 4 + der.length)).toBe(der);
  });
});

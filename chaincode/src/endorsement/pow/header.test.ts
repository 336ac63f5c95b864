import vectors from '../../../test/vectors/pow-headers.json';
import { sealedRoot } from '../chain.js';
import { type SealedItem } from '../../api/endorsement.js';
import { decodeHeader, encodeHeader, HEADER_BYTES, headerHash, minerId } from './header.js';
import { parseCompact } from './target.js';

test.each(vectors.headers.map((vector) => [vector.header.height, vector] as const))(
  'vector %i: bytes, root and hash',
  (_height, { header: plain, batch, bytes, hash }) => {
    const header = {
      ...plain,
      miner: minerId(plain.miner),
      target: parseCompact(plain.target),
      nonce: BigInt(plain.nonce),
    };
    const encoded = encodeHeader(header);
    expect(Buffer.from(encoded).toString('hex')).toBe(bytes);
    expect(decodeHeader(encoded)).toEqual(header);
    expect(headerHash(encoded)).toBe(hash);
    expect(sealedRoot(batch as SealedItem[])).toBe(header.merkleRoot);
  },
);

test('the hash is Bitcoin’s double SHA-256', () => {
  const genesis =
    '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e' +
    '67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c';
  const displayed = '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f';
  expect(
    Buffer.from(headerHash(Buffer.from(genesis, 'hex')), 'hex')
      .reverse()
      .toString('hex'),
  ).toBe(displayed);
});

test('other lengths and impossible dates are no headers', () => {
  expect(decodeHeader(new Uint8Array(HEADER_BYTES - 1))).toBeUndefined();
  expect(decodeHeader(new Uint8Array(HEADER_BYTES + 1))).toBeUndefined();
  expect(decodeHeader(new Uint8Array(HEADER_BYTES).fill(255))).toBeUndefined();
});

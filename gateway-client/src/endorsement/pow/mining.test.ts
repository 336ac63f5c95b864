import {
  decodeHeader,
  headerHash,
  NONCE_OFFSET,
  targetOf,
  targetValue,
  formatCompact,
} from '@strokeshare/chaincode';
import vectors from '../../../../chaincode/test/vectors/pow-headers.json';
import { MiningPool } from './pool.js';
import { search, targetBytes } from './search.js';

const target = (compact: string): Buffer => targetBytes(targetValue(compact));
const withoutWork = (bytes: string): Buffer => {
  const header = Buffer.from(bytes, 'hex');
  header.fill(0, NONCE_OFFSET);
  return header;
};

test.each(vectors.headers.map((vector) => [vector.header.height, vector] as const))(
  'the search finds the first nonce of vector %i, in pieces as in one',
  (_height, { header: plain, bytes }) => {
    const header = withoutWork(bytes);
    let hashes = 0;
    for (;;) {
      const { tried, found } = search(header, target(plain.target), 7);
      hashes += tried;
      if (found) break;
    }
    expect(header.toString('hex')).toBe(bytes);
    expect(BigInt(hashes)).toBe(BigInt(plain.nonce) + 1n);
  },
);

test('the nonce goes on above its lower half', () => {
  const header = withoutWork(vectors.headers[0]?.bytes ?? '');
  header.writeUInt32LE(0xffffffff, NONCE_OFFSET);
  search(header, Buffer.alloc(32), 2);
  expect(decodeHeader(header)?.nonce).toBe(0x1_0000_0001n);
});

describe('threads', () => {
  let pool: MiningPool;
  beforeAll(() => {
    pool = new MiningPool(2);
  });
  afterAll(() => pool?.[Symbol.asyncDispose]());
  const header = withoutWork(vectors.headers[0]?.bytes ?? '');

  it('find work with a timestamp that the chain accepts', async () => {
    const easy = targetValue(formatCompact(targetOf(1000)));
    const notBefore = Date.now() + 3_600_000;
    const { signal } = new AbortController();
    const found = await pool.find({ header, target: targetBytes(easy), notBefore, signal });
    expect(BigInt(`0x${headerHash(found)}`) < easy).toBe(true);
    expect(decodeHeader(found)?.timestamp).toBe(notBefore);
    expect(pool.hashes).toBeGreaterThan(0);
  });

  it('leave work that is cancelled, and take the next', async () => {
    const ending = new AbortController();
    const impossible = pool.find({ header, target: Buffer.alloc(32), notBefore: 0, signal: ending.signal });
    ending.abort();
    await expect(impossible).rejects.toMatchObject({ code: 'CANCELLED' });
    const signal = AbortSignal.timeout(60_000);
    const next = pool.find({ header, target: Buffer.alloc(32, 255), notBefore: 0, signal });
    await expect(next).resolves.toHaveLength(header.length);
  });
});

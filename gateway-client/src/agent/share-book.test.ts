import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCiphertext, parameterSet, type HolderKey } from '@strokeshare/fhe';
import { makeEpoch } from '../../test/toy-epoch.js';
import type { AgentContext } from './context.js';
import { openHolderKey, storeHolderKey } from './holder-key.js';
import { ShareBook, type ShareRequest } from './share-book.js';
import { Vault } from './vault.js';

const set = parameterSet('toy');
const epochId = 'epoch-1';
const committee = [1, 2, 3];
let key: HolderKey;
let folder: string;
let context: AgentContext;

/** A ciphertext of any words: the book does not care what it decrypts to. */
function ciphertext(fill: bigint): Uint8Array {
  const words = new BigUint64Array(2 * 2 * set.polyModulusDegree).fill(fill);
  return buildCiphertext(set, { size: 2, primes: 2, scale: 2 ** 70, words });
}
const request = (cell: string, fill: bigint): ShareRequest => ({
  cell,
  ciphertext: ciphertext(fill),
  sigma: 1n << 40n,
});

beforeAll(async () => {
  const { holderKeys } = await makeEpoch(set, epochId, ['A', 'B', 'C', 'D'], 3);
  key = holderKeys[1]!;
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-shares-'));
  context = { vault: await Vault.open(join(folder, 'vault'), join(folder, 'vault.key')) } as AgentContext;
  await storeHolderKey(context, key);
});
afterEach(() => rm(folder, { recursive: true }));

const hex = (shares: Map<string, Uint8Array>) =>
  [...shares].map(([cell, bytes]) => [cell, Buffer.from(bytes).toString('hex')]);
const used = async () => context.vault.readJson(`coefficients-${epochId}`);

test('the key is kept and opened again', async () => {
  using opened = await openHolderKey(context, epochId);
  expect(opened).toMatchObject({ epochId, index: 2, threshold: 3, members: 4 });
  await expect(openHolderKey(context, 'epoch-2')).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
});

test('a share is computed once and charged once; asking again gives the same bytes', async () => {
  const first = await new ShareBook(context).shares('job', epochId, set, committee, [
    request('a', 1n),
    request('b', 2n),
  ]);
  expect(await used()).toEqual({ '1,2,3': 2 });
  // A new book, as after a restart, in another order.
  const again = await new ShareBook(context).shares(
    'job',
    epochId,
    set,
    [3, 1, 2],
    [request('b', 2n), request('a', 1n)],
  );
  expect(hex(again).sort()).toEqual(hex(first).sort());
  expect(await used()).toEqual({ '1,2,3': 2 });
  await new ShareBook(context).shares('other', epochId, set, [1, 2, 4], [request('a', 1n)]);
  expect(await used()).toEqual({ '1,2,3': 2, '1,2,4': 1 });
});

test('no second share of the same cell for other bytes or other noise, whatever the committee', async () => {
  const book = new ShareBook(context);
  await book.shares('job', epochId, set, committee, [request('a', 1n)]);
  const refused = { code: 'REPLAY_MISMATCH' };
  await expect(book.shares('job', epochId, set, committee, [request('a', 2n)])).rejects.toMatchObject(
    refused,
  );
  // A committee that replaces another gets shares of its own, of the same ciphertext.
  await book.shares('job', epochId, set, [1, 2, 4], [request('a', 1n)]);
  await expect(book.shares('job', epochId, set, [1, 2, 4], [request('a', 2n)])).rejects.toMatchObject(
    refused,
  );
  const quieter = { ...request('a', 1n), sigma: 1n };
  await expect(book.shares('job', epochId, set, committee, [quieter])).rejects.toMatchObject(refused);
});

test('what the flooding noise is good for is not exceeded', async () => {
  const limit = 2 ** set.smudging.tauLog2;
  await context.vault.writeJson(`coefficients-${epochId}`, { '1,2,3': limit - 1 });
  const book = new ShareBook(context);
  await expect(
    book.shares('job', epochId, set, committee, [request('a', 1n), request('b', 2n)]),
  ).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED' });
  await book.shares('job', epochId, set, committee, [request('a', 1n)]);
  expect(await used()).toEqual({ '1,2,3': limit });
});

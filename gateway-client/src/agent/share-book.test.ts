import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCiphertext, parameterSet, type HolderKey } from '@strokeshare/fhe';
import { makeEpoch } from '../../test/toy-epoch.js';
import type { AgentContext } from './context.js';
import { forgetHolderKey, openHolderKey, releaseLogOf, storeHolderKey } from './holder-key.js';
import { ShareBook, type ShareRequest } from './share-book.js';
import { Vault } from './vault.js';

const set = parameterSet('toy');
const epochId = 'epoch-1';
const committee = [1, 2, 3];
let key: HolderKey;
let folder: string;
let context: AgentContext;

/** A ciphertext of any words: the book does not care what it decrypts to. */
function ciphertext(fill: bigint, primes = 2): Uint8Array {
  const words = new BigUint64Array(2 * primes * set.polyModulusDegree).fill(fill);
  return buildCiphertext(set, { size: 2, primes, scale: 2 ** 70, words });
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
/** An agent that was just started in the folder. */
const start = async (): Promise<AgentContext> =>
  ({
    vault: await Vault.open(join(folder, 'vault'), join(folder, 'vault.key')),
    releases: new Map(),
  }) as unknown as AgentContext;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-shares-'));
  context = await start();
  await storeHolderKey(context, key);
});
afterEach(() => rm(folder, { recursive: true }));

const hex = (shares: Map<string, Uint8Array>) =>
  [...shares].map(([cell, bytes]) => [cell, Buffer.from(bytes).toString('hex')]);
const logFile = () => join(folder, 'vault', releaseLogOf(key));
/** What the journal on disk says, read by an agent that was just started. */
const entries = async () => {
  const { entries: sealed } = await (await start()).vault.openLog(releaseLogOf(key));
  return sealed.map(
    (entry) => JSON.parse(Buffer.from(entry).toString()) as { kind: string; committee?: number[] },
  );
};
const charged = async () => (await entries()).flatMap(({ committee: of }) => (of ? [of.join()] : []));

test('the key is kept and opened again, with its journal', async () => {
  using opened = await openHolderKey(context, epochId);
  expect(opened).toMatchObject({ epochId, index: 2, threshold: 3, members: 4 });
  await expect(openHolderKey(context, 'epoch-2')).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  expect(await entries()).toMatchObject([{ kind: 'epoch', epochId, index: 2 }]);
});

test('a share is computed once and charged once; asking again gives the same bytes, after a restart too', async () => {
  const first = await new ShareBook(context).shares('job', epochId, committee, [
    request('a', 1n),
    request('b', 2n),
  ]);
  expect(await charged()).toEqual(['1,2,3', '1,2,3']);
  const again = await new ShareBook(await start()).shares(
    'job',
    epochId,
    [3, 1, 2],
    [request('b', 2n), request('a', 1n)],
  );
  expect(hex(again).sort()).toEqual(hex(first).sort());
  // Another job that asks the same on the same terms learns nothing, so it is given the same.
  const other = await new ShareBook(await start()).shares('other', epochId, committee, [request('x', 1n)]);
  expect(other.get('x')).toEqual(first.get('a'));
  expect(await charged()).toEqual(['1,2,3', '1,2,3']);
  await new ShareBook(await start()).shares('other', epochId, [1, 2, 4], [request('x', 1n)]);
  expect(await charged()).toEqual(['1,2,3', '1,2,3', '1,2,4']);
});

test('no second share of the same cell for other bytes or other noise, whatever the committee', async () => {
  const book = new ShareBook(context);
  await book.shares('job', epochId, committee, [request('a', 1n)]);
  const refused = { code: 'REPLAY_MISMATCH' };
  await expect(book.shares('job', epochId, committee, [request('a', 2n)])).rejects.toMatchObject(refused);
  // A committee that replaces another gets shares of its own, of the same ciphertext.
  await book.shares('job', epochId, [1, 2, 4], [request('a', 1n)]);
  await expect(book.shares('job', epochId, [1, 2, 4], [request('a', 2n)])).rejects.toMatchObject(refused);
  const quieter = { ...request('a', 1n), sigma: 1n };
  await expect(book.shares('job', epochId, committee, [quieter])).rejects.toMatchObject(refused);
});

test('the same c1 at another level or with other noise is refused under any job, after a restart too', async () => {
  await new ShareBook(context).shares('job', epochId, committee, [request('a', 1n)]);
  const higher = { cell: 'a', ciphertext: ciphertext(1n, 3), sigma: 1n << 40n };
  const quieter = { ...request('a', 1n), sigma: 1n << 39n };
  for (const [index, asked] of [higher, quieter].entries()) {
    const again = new ShareBook(await start()).shares(`other-${index}`, epochId, committee, [asked]);
    await expect(again).rejects.toMatchObject({ code: 'RELEASE_REFUSED' });
  }
  expect(await charged()).toEqual(['1,2,3']);
});

test('a journal whose last entry was cut short goes on; one that was altered or lost gives nothing', async () => {
  const first = await new ShareBook(context).shares('job', epochId, committee, [request('a', 1n)]);
  const whole = await readFile(logFile());
  // The share's entry was being written when the power went: it had not left, and is made again.
  await truncate(logFile(), whole.length - 5);
  const again = await new ShareBook(await start()).shares('job', epochId, committee, [request('a', 1n)]);
  expect(hex(again)).toEqual(hex(first));
  expect(await charged()).toEqual(['1,2,3']);
  const altered = Uint8Array.from(whole);
  altered[60]! ^= 1;
  await writeFile(logFile(), altered);
  const ask = async () => new ShareBook(await start()).shares('job', epochId, committee, [request('a', 1n)]);
  await expect(ask()).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  await rm(logFile());
  await expect(ask()).rejects.toMatchObject({ code: 'JOURNAL_MALFORMED' });
});

test('a key that is forgotten leaves nothing', async () => {
  await new ShareBook(context).shares('job', epochId, committee, [request('a', 1n)]);
  expect(await forgetHolderKey(context, epochId)).toBe(true);
  expect(await forgetHolderKey(context, epochId)).toBe(false);
  await expect(readFile(logFile())).rejects.toMatchObject({ code: 'ENOENT' });
  const ask = new ShareBook(context).shares('job', epochId, committee, [request('b', 2n)]);
  await expect(ask).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
});

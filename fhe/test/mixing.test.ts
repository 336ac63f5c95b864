/** Keys, ciphertexts, shares and journals of different epochs or parameter sets never meet: a typed error everywhere. */
import { stage, type Stage } from './attacks/stage.js';
import { epochId } from './ceremonyFixture.js';
import { combineVectorShares, releaseVectorShare } from '../src/aggregate/vectorShare.js';
import { type BlobKind, decodeBlob, encodeBlob } from '../src/bytes/blob.js';
import { FheError } from '../src/errors.js';
import { parameterSet } from '../src/params/parameterSet.js';
import {
  combineCarriedShares,
  decodeShare,
  encodeShare,
  releaseCarriedShare,
} from '../src/release/carried.js';
import { requireEvaluated } from '../src/release/evaluated.js';
import { HolderKey } from '../src/release/holderKey.js';
import { ReleaseJournal } from '../src/release/journal.js';
import { cellValue } from '../src/release/combine.js';
import { SealContext } from '../src/seal/context.js';

const committee = [1, 2];
const sigma = 1n << 30n;
const set = parameterSet('toy');
const additive = parameterSet('additive');
const other = 'another-epoch';
let scene: Stage;
let ciphertext: Uint8Array;

const blobOf = (body: Uint8Array, kind: BlobKind = 'ciphertext', epoch = epochId, id = set.id): Uint8Array =>
  encodeBlob({ kind, parameterSetId: id, epochId: epoch }, body);
const rehead = (blob: Uint8Array, kind: BlobKind, epoch: string, id = set.id): Uint8Array =>
  blobOf(decodeBlob(blob, { kind, parameterSetId: set.id, epochId }), kind, epoch, id);
const code = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof FheError ? error.code : String(error);
  }
};

beforeAll(async () => {
  scene = await stage('toy', 3, 2);
  using plaintext = scene.context.encode(new Float64Array(set.slots).fill(0.5));
  using encrypted = scene.encryptor.encrypt(plaintext);
  ciphertext = blobOf(encrypted.save());
});
const key = (index: number): HolderKey => scene.keys[index - 1] as HolderKey;
const share = (index: number, more: { committee?: number[]; coefficient?: 'half' } = {}): Uint8Array =>
  releaseCarriedShare(key(index), { ciphertext, committee, sigma, ...more });

describe('a carried share', () => {
  it('names its set, epoch, holder, committee, coefficient and c1, and adds up', () => {
    const shares = [share(1), share(2)];
    const decoded = decodeShare({ set, epochId }, shares[0] as Uint8Array);
    expect(decoded).toMatchObject({ index: 1, committee, coefficient: 0 });
    expect(encodeShare({ set, epochId }, decoded)).toEqual(shares[0]);
    const residue = combineCarriedShares({ set, epochId }, { ciphertext, shares });
    const scale = { numerator: 1n << BigInt(set.scaleBits), denominator: 1n };
    expect(cellValue(residue, scale, set.slots)).toBeCloseTo(set.slots / 2, 4);
  });

  it('of another epoch, set, committee, coefficient or ciphertext is refused', () => {
    const [first, second] = [share(1), share(2)];
    const combine = (shares: Uint8Array[], more: object = {}): string =>
      code(() => combineCarriedShares({ set, epochId }, { ciphertext, shares, ...more }));
    expect(combine([first, rehead(second, 'share', other)])).toBe('EPOCH_MISMATCH');
    expect(combine([first, rehead(second, 'share', epochId, additive.id)])).toBe('PARAMETER_SET_MISMATCH');
    expect(combine([first, share(2, { committee: [2, 3] })])).toBe('COMMITTEE_INVALID');
    expect(combine([first, share(2, { coefficient: 'half' })])).toBe('SHARE_MALFORMED');
    expect(combine([first, second], { coefficient: 'half' })).toBe('SHARE_MALFORMED');
    expect(combine([first])).toBe('COMMITTEE_INVALID');
    expect(combine([first, first])).toBe('COMMITTEE_INVALID');
    expect(combine([])).toBe('SHARE_MALFORMED');
    expect(combine([first, ciphertext])).toBe('BLOB_MALFORMED');
    using plaintext = scene.context.encode(new Float64Array(set.slots));
    using encrypted = scene.encryptor.encrypt(plaintext);
    expect(combine([first, second], { ciphertext: blobOf(encrypted.save()) })).toBe('SHARE_MALFORMED');
    for (const [at, value] of [
      [104, 2],
      [105, 3],
      [106, 2],
      [107, 9],
      [104 + 40 + 7, 255],
    ] as const) {
      const changed = second.slice();
      changed[at] = value;
      expect(combine([first, changed])).toBe('SHARE_MALFORMED');
    }
    expect(combine([first, second.subarray(0, 150)])).toBe('SHARE_MALFORMED');
  });
});

describe('what belongs to another epoch or parameter set', () => {
  it('is refused wherever it is used', () => {
    const ask = (blob: Uint8Array): string =>
      code(() => releaseCarriedShare(key(1), { ciphertext: blob, committee, sigma }));
    expect(ask(rehead(ciphertext, 'ciphertext', other))).toBe('EPOCH_MISMATCH');
    expect(ask(rehead(ciphertext, 'ciphertext', epochId, additive.id))).toBe('PARAMETER_SET_MISMATCH');
    expect(ask(share(1))).toBe('BLOB_MALFORMED');
    const claimed = { hash: '0'.repeat(64), primes: 4 };
    const foreign = rehead(ciphertext, 'ciphertext', other);
    expect(code(() => requireEvaluated(key(1), foreign, claimed))).toBe('EPOCH_MISMATCH');
    const exported = key(1).export();
    exported.fill(9, 16, 48);
    expect(code(() => HolderKey.import(exported))).toBe('HOLDER_KEY_MALFORMED');
    expect(code(() => ReleaseJournal.restore(key(1), [ReleaseJournal.opening(key(2))]))).toBe(
      'EPOCH_MISMATCH',
    );
    const vector = releaseVectorShare(key(1), {
      vectorId: 'v',
      sum: BigUint64Array.of(1n),
      inputs: '',
      committee,
    });
    const epoch = { parameterSetId: set.id, epochId: other };
    expect(code(() => combineVectorShares(epoch, committee, [vector], 1))).toBe('EPOCH_MISMATCH');
    expect(
      code(() => combineVectorShares({ parameterSetId: additive.id, epochId }, committee, [vector], 1)),
    ).toBe('PARAMETER_SET_MISMATCH');
  });

  it('does not load into SEAL', async () => {
    const context = await SealContext.for(additive);
    const header = { parameterSetId: set.id, epochId } as const;
    const body = decodeBlob(ciphertext, { ...header, kind: 'ciphertext' });
    expect(code(() => context.loadCiphertext(body))).toBe('CIPHERTEXT_MALFORMED');
    const relinKeys = decodeBlob(scene.relinKeys, { ...header, kind: 'relinKeys' });
    expect(code(() => context.loadRelinKeys(relinKeys))).toBe('RELIN_KEYS_MALFORMED');
  });
});

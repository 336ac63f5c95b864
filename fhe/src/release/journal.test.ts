import { encrypt, holder, stage, type Stage } from '../../test/attacks/stage.js';
import { answerRelease, type ReleaseEntry, ReleaseJournal } from './journal.js';
import type { HolderKey } from './holderKey.js';

const sigma = 1n << 40n;
const committee = [1, 2];
let scene: Stage;
beforeAll(async () => {
  scene = await stage('toy', 3, 2);
});
const ciphertext = (): Uint8Array => encrypt(scene, new Float64Array(scene.set.slots)).body;
const key = (): HolderKey => holder(scene, 1);
const fails = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('ReleaseJournal', () => {
  it('charges each coefficient before its share, once, and a packed pair twice', () => {
    const journal = ReleaseJournal.restore(key(), [ReleaseJournal.opening(key())]);
    const body = ciphertext();
    expect(journal.charge(key(), { ciphertext: body, committee, sigma }).entry).toBeDefined();
    expect(journal.charge(key(), { ciphertext: body, committee, sigma }).entry).toBeUndefined();
    journal.charge(key(), { ciphertext: body, committee, sigma, coefficient: 'half' });
    journal.charge(key(), { ciphertext: ciphertext(), committee, sigma });
    expect(journal.coefficientsOf(committee)).toBe(3);
    expect(journal.coefficientsOf([1, 3])).toBe(0);
  });

  it('refuses a committee past tau coefficients, and answers it again what it was given before', () => {
    const body = ciphertext();
    const opening = ReleaseJournal.opening(key());
    const small = Object.create(key(), {
      set: { value: { ...key().set, smudging: { s: 40, tauLog2: 1 } } },
    }) as HolderKey;
    const journal = ReleaseJournal.restore(small, [opening]);
    journal.charge(key(), { ciphertext: body, committee, sigma });
    journal.charge(key(), { ciphertext: ciphertext(), committee, sigma });
    expect(() => journal.charge(key(), { ciphertext: ciphertext(), committee, sigma })).toThrow(
      fails('RELEASE_BUDGET_EXHAUSTED'),
    );
    expect(journal.charge(key(), { ciphertext: body, committee, sigma }).id).toHaveLength(64);
    expect(journal.charge(key(), { ciphertext: body, committee: [1, 3], sigma }).entry).toBeDefined();
  });

  it('stays charged where the share fails or storage breaks, and then gives the same share', async () => {
    const body = ciphertext();
    const stored: ReleaseEntry[] = [ReleaseJournal.opening(key())];
    const journal = ReleaseJournal.restore(key(), stored);
    const request = { ciphertext: body, committee, sigma };
    const broken = (entry: ReleaseEntry): Promise<void> => {
      if (entry.kind === 'share') return Promise.reject(new Error('disk full'));
      stored.push(entry);
      return Promise.resolve();
    };
    await expect(answerRelease(key(), journal, request, broken)).rejects.toThrow('disk full');
    const again = ReleaseJournal.restore(key(), stored);
    expect(again.coefficientsOf(committee)).toBe(1);
    const keep = (entry: ReleaseEntry): Promise<void> => {
      stored.push(entry);
      return Promise.resolve();
    };
    const share = await answerRelease(key(), again, request, keep);
    expect(again.coefficientsOf(committee)).toBe(1);
    expect(await answerRelease(key(), ReleaseJournal.restore(key(), stored), request, keep)).toEqual(share);
    // Too large a deviation fails after it was charged.
    const wrong = { ciphertext: ciphertext(), committee, sigma: 1n << 235n };
    await expect(answerRelease(key(), again, wrong, keep)).rejects.toMatchObject({ code: 'RELEASE_REFUSED' });
    expect(again.coefficientsOf(committee)).toBe(2);
  });

  it('gives two askers at one time one share', async () => {
    const journal = ReleaseJournal.restore(key(), [ReleaseJournal.opening(key())]);
    const request = { ciphertext: ciphertext(), committee, sigma };
    const entries: ReleaseEntry[] = [];
    const persist = (entry: ReleaseEntry): Promise<void> => Promise.resolve(void entries.push(entry));
    const [a, b] = await Promise.all([1, 2].map(() => answerRelease(key(), journal, request, persist)));
    expect(a).toEqual(b);
    expect(entries.map(({ kind }) => kind)).toEqual(['charge', 'share']);
  });

  it('refuses entries of other keys, without form, or out of order', () => {
    const opening = ReleaseJournal.opening(key());
    const restore =
      (...entries: unknown[]) =>
      () =>
        ReleaseJournal.restore(key(), entries);
    const charge = { kind: 'charge', id: 'a'.repeat(64), committee, terms: 'b'.repeat(64) };
    expect(restore()).toThrow(fails('JOURNAL_MALFORMED'));
    expect(restore(charge)).toThrow(fails('JOURNAL_MALFORMED'));
    expect(restore(opening, opening)).toThrow(fails('JOURNAL_MALFORMED'));
    expect(restore(opening, charge, charge)).toThrow(fails('JOURNAL_MALFORMED'));
    expect(restore(opening, { ...charge, extra: 1 })).toThrow(fails('JOURNAL_MALFORMED'));
    expect(restore(opening, { kind: 'share', id: charge.id, share: 'AA==' })).toThrow(
      fails('JOURNAL_MALFORMED'),
    );
    expect(restore(ReleaseJournal.opening(holder(scene, 2)))).toThrow(fails('EPOCH_MISMATCH'));
    expect(restore({ ...opening, epochId: 'other' })).toThrow(fails('EPOCH_MISMATCH'));
    expect(restore({ ...opening, parameterSetId: '0'.repeat(64) })).toThrow(fails('PARAMETER_SET_MISMATCH'));
    expect(restore(opening, charge)().coefficientsOf(committee)).toBe(1);
  });
});

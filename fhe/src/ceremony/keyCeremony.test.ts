import {
  ask,
  attempt,
  type CeremonyResult,
  dealtCeremony,
  epochId,
  memberNames,
  parties,
  reconstructSecret,
  release,
  runCeremony,
  seedOf,
  sum,
} from '../../test/ceremonyFixture.js';
import { decodeBlob, encodeBlob } from '../bytes/blob.js';
import { blobHash } from '../bytes/blob.js';
import { FheError } from '../errors.js';
import { type ParameterSet, parameterSet } from '../params/parameterSet.js';
import { SealContext } from '../seal/context.js';
import { LocalDecryptor } from '../seal/localKeys.js';
import { committeesAmong } from '../release/committee.js';
import type { HolderKey } from '../release/holderKey.js';
import { KeyCeremony } from './keyCeremony.js';

const toy = parameterSet('toy');

function values(set: ParameterSet, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: set.slots }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return (2 * state) / 2147483648 - 1;
  });
}

interface Encrypted {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** At two primes. */
  readonly sumCell: Uint8Array;
  /** x y, relinearised with the collective key, at three primes. */
  readonly productCell: Uint8Array;
}

async function encrypt(set: ParameterSet, ceremony: CeremonyResult): Promise<Encrypted> {
  const context = await SealContext.for(set);
  const header = { parameterSetId: set.id, epochId };
  using publicKey = context.loadPublicKey(decodeBlob(ceremony.publicKey, { ...header, kind: 'publicKey' }));
  using relinKeys = context.loadRelinKeys(decodeBlob(ceremony.relinKeys, { ...header, kind: 'relinKeys' }));
  using encryptor = context.encryptor(publicKey);
  const [x, y] = [values(set, 1), values(set, 2)];
  using plainX = context.encode(x);
  using plainY = context.encode(y);
  using a = encryptor.encrypt(plainX);
  using b = encryptor.encrypt(plainY);
  using product = context.evaluator.multiply(a, b);
  context.evaluator.relinearizeInPlace(product, relinKeys);
  context.evaluator.modSwitchInPlace(product, 3);
  context.evaluator.modSwitchInPlace(a, 2);
  return { x, y, sumCell: a.save(), productCell: product.save() };
}

async function expectSums(set: ParameterSet, n: number, threshold: number): Promise<void> {
  const ceremony = await runCeremony(set, n, threshold);
  const cells = await encrypt(set, ceremony);
  const [first] = ceremony.combined.slice(0, n).map(blobHash);
  expect(new Set(ceremony.combined.slice(0, n).map(blobHash))).toEqual(new Set([first]));
  expect(new Set(ceremony.combined.slice(n).map(blobHash)).size).toBe(1);
  const product = sum(cells.x.map((value, i) => value * (cells.y[i] ?? 0)));
  for (const committee of committeesAmong(
    ceremony.keys.map(({ index }) => index),
    threshold,
  ).map((indexes) => indexes.map((index) => ceremony.keys[index - 1] as HolderKey))) {
    expect(Math.abs(release(committee, cells.sumCell, 1n << 30n, set.scaleBits) - sum(cells.x))).toBeLessThan(
      1e-4,
    );
    expect(
      Math.abs(release(committee, cells.productCell, 1n << 90n, 2 * set.scaleBits) - product),
    ).toBeLessThan(1e-4);
  }
  for (const key of ceremony.keys) key[Symbol.dispose]();
}

describe('KeyCeremony', () => {
  it('any 3 of 4 holders release sums and products (standard)', async () => {
    await expectSums(parameterSet('standard'), 4, 3);
    expect.hasAssertions();
  });

  it.each(['toy', 'standard'])(
    'makes keys that SEAL loads and that decrypt under the summed secrets (%s)',
    async (name) => {
      const set = parameterSet(name);
      const ceremony = await runCeremony(set, 2, 2);
      const cells = await encrypt(set, ceremony);
      using decryptor = await LocalDecryptor.create(set, reconstructSecret(ceremony.keys));
      const x = decryptor.decrypt(cells.sumCell);
      const product = decryptor.decrypt(cells.productCell);
      const worst = Math.max(
        ...Array.from(x, (value, i) => Math.abs(value - (cells.x[i] ?? 0))),
        ...Array.from(product, (value, i) => Math.abs(value - (cells.x[i] ?? 0) * (cells.y[i] ?? 0))),
      );
      expect(worst).toBeLessThan(1e-9);
    },
  );

  it('holds no secret in fewer than t shares: t - 1 of them give noise', async () => {
    const ceremony = await runCeremony(toy, 3, 3);
    using decryptor = await LocalDecryptor.create(toy, reconstructSecret(ceremony.keys.slice(0, 2)));
    const cells = await encrypt(toy, ceremony);
    const guess = decryptor.decrypt(cells.sumCell);
    expect(Math.abs(sum(guess) - sum(cells.x))).toBeGreaterThan(1e6);
  });
});

describe('the steps of a ceremony', () => {
  const code = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      if (error instanceof FheError) return error.code;
    }
    return 'accepted';
  };

  it('are refused out of order, twice, and after disposal', async () => {
    const ceremony = await parties(toy, 2, 2);
    const [party] = ceremony.values();
    if (!party) throw new Error('no party');
    const seed = seedOf(ceremony);
    expect(code(() => party.relinRound1())).toBe('CEREMONY_STEP_INVALID');
    expect(code(() => party.combinePublicKey(new Map()))).toBe('CEREMONY_STEP_INVALID');
    expect(code(() => party.publicKeyShare(new Uint8Array(31)))).toBe('ARGUMENT_INVALID');
    party.publicKeyShare(seed);
    expect(code(() => party.publicKeyShare(seed))).toBe('CEREMONY_STEP_INVALID');
    party.relinRound1();
    expect(code(() => party.relinRound1())).toBe('CEREMONY_STEP_INVALID');
    expect(code(() => party.combineRelinKeys(new Map(), new Map()))).toBe('CEREMONY_STEP_INVALID');
    await expect(party.dealings(new Map())).rejects.toMatchObject({ code: 'CEREMONY_STEP_INVALID' });
    await expect(party.finish(new Map())).rejects.toMatchObject({ code: 'CEREMONY_STEP_INVALID' });
    party[Symbol.dispose]();
    expect(code(() => party.seedContribution())).toBe('DISPOSED');
    expect(code(() => party.relinRound2(new Map()))).toBe('DISPOSED');
  });

  it('leave nothing but the holder key: secrets are overwritten when they end', async () => {
    const members = memberNames(1);
    const party = await KeyCeremony.create({
      set: toy,
      epochId,
      attempt,
      members,
      self: 'Hospital1MSP',
      threshold: 1,
    });
    const inside = party as unknown as {
      secrets: { ring: { kernel: { memory: { buffer: ArrayBuffer } } } };
      sealingKeys: { privateKey: Uint8Array };
    };
    const one = new Map([['Hospital1MSP', party.sealingPublicKey]]);
    party.publicKeyShare(seedOf(new Map([['Hospital1MSP', party]])));
    const round1 = new Map([['Hospital1MSP', party.relinRound1()]]);
    party.relinRound2(round1);
    const dealings = new Map([['Hospital1MSP', await party.dealings(one)]]);
    using key = await party.finish(dealings);
    expect(key.index).toBe(1);
    expect(new Uint8Array(inside.secrets.ring.kernel.memory.buffer).some((byte) => byte !== 0)).toBe(false);
    expect(inside.sealingKeys.privateKey.some((byte) => byte !== 0)).toBe(false);
    expect(code(() => party.relinRound1())).toBe('CEREMONY_STEP_INVALID');
  });

  it('make the dealing check by all or by none, once, and on the dealings that were checked', async () => {
    const { parties: ceremony, dealings, publicKeys } = await dealtCeremony(toy, 2, 2);
    const checks = new Map<string, Uint8Array>();
    for (const [name, party] of ceremony) checks.set(name, await party.dealingCheck(dealings));
    const [party] = ceremony.values();
    if (!party) throw new Error('no party');
    await expect(party.dealingCheck(dealings)).rejects.toMatchObject({ code: 'CEREMONY_STEP_INVALID' });
    await expect(party.finish(dealings)).rejects.toMatchObject({ code: 'CEREMONY_STEP_INVALID' });
    const missing = new Map(checks);
    missing.delete('Hospital2MSP');
    await expect(party.finish(dealings, { checks: missing, publicKeys })).rejects.toMatchObject({
      code: 'CEREMONY_MESSAGE_MISSING',
      sender: 'Hospital2MSP',
    });
    using key = await party.finish(dealings, { checks, publicKeys });
    expect(key.index).toBe(1);
    expect(code(() => party.disclose())).toBe('CEREMONY_STEP_INVALID');
    const [, other] = ceremony.values();
    other?.disclose();
    expect(code(() => other?.disclose())).toBe('DISPOSED');
  });

  it('refuse rosters without sense', async () => {
    const valid = { set: toy, epochId, attempt, members: memberNames(3), self: 'Hospital1MSP', threshold: 2 };
    for (const wrong of [
      { threshold: 0 },
      { threshold: 4 },
      { members: [] },
      { members: ['Hospital1MSP', 'Hospital1MSP'] },
      { members: memberNames(33) },
      { self: 'Hospital9MSP' },
      { attempt: -1 },
      { epochId: 'a b' },
    ]) {
      await expect(KeyCeremony.create({ ...valid, ...wrong })).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
      });
    }
  });
});

describe('a bad message', () => {
  const victim = 'Hospital2MSP';
  const header = { kind: 'ceremony', parameterSetId: toy.id, epochId } as const;

  /** Rewrites the victim's message; `change` gets a copy of its body. */
  function spoil(messages: Map<string, Uint8Array>, change: (body: Uint8Array) => Uint8Array | undefined) {
    const body = decodeBlob(messages.get(victim) as Uint8Array, header).slice();
    return new Map(messages).set(victim, encodeBlob(header, change(body) ?? body));
  }
  const flip = (at: number) => (body: Uint8Array) => {
    body[at] = (body[at] ?? 0) ^ 1;
    return body;
  };
  const wordAbove = (body: Uint8Array): Uint8Array => {
    new DataView(body.buffer).setBigUint64(40, toy.primes[0] as bigint, true);
    return body;
  };

  async function atRound1() {
    const ceremony = await parties(toy, 3, 2);
    const seed = seedOf(ceremony);
    const shares = ask(ceremony, (party) => party.publicKeyShare(seed));
    const round1 = ask(ceremony, (party) => party.relinRound1());
    return { ceremony, party: ceremony.get('Hospital1MSP') as KeyCeremony, shares, round1 };
  }
  const sender = (work: () => unknown): string | undefined => {
    try {
      work();
    } catch (error) {
      if (error instanceof FheError) return `${error.code} ${error.sender ?? ''}`;
    }
    return undefined;
  };
  const invalid = `CEREMONY_MESSAGE_INVALID ${victim}`;

  it('names its sender, whatever is wrong with it', async () => {
    const { party, shares, round1 } = await atRound1();
    const foreign = encodeBlob(
      { ...header, epochId: 'other' },
      decodeBlob(shares.get(victim) as Uint8Array, header),
    );
    const wrongs: Map<string, Uint8Array>[] = [
      ...[0, 1, 2, 3, 4, 8, 39].map((at) => spoil(shares, flip(at))),
      spoil(shares, wordAbove),
      spoil(shares, (body) => body.subarray(0, -8)),
      spoil(shares, (body) => Uint8Array.of(...body.subarray(0, 48))),
      new Map(shares).set(victim, foreign),
      new Map(shares).set(victim, new Uint8Array()),
      new Map(shares).set(victim, shares.get('Hospital3MSP') as Uint8Array),
      new Map(shares).set(victim, round1.get(victim) as Uint8Array),
    ];
    expect(wrongs.map((messages) => sender(() => party.combinePublicKey(messages)))).toEqual(
      wrongs.map(() => invalid),
    );
    expect(sender(() => party.combinePublicKey(shares))).toBeUndefined();
  });

  it('is named when it is missing, foreign, a copy, or our own one changed', async () => {
    const { party, shares } = await atRound1();
    const missing = new Map(shares);
    missing.delete(victim);
    expect(sender(() => party.combinePublicKey(missing))).toBe(`CEREMONY_MESSAGE_MISSING ${victim}`);
    const extra = new Map(shares).set('Hospital9MSP', new Uint8Array());
    expect(sender(() => party.combinePublicKey(extra))).toBe('CEREMONY_MESSAGE_INVALID Hospital9MSP');
    const copied = spoil(shares, (body) => {
      body.set(decodeBlob(shares.get('Hospital1MSP') as Uint8Array, header).subarray(40), 40);
      return body;
    });
    expect(sender(() => party.combinePublicKey(copied))).toBe(invalid);
    const other = await atRound1();
    const own = new Map(shares).set('Hospital1MSP', other.shares.get('Hospital1MSP') as Uint8Array);
    expect(sender(() => party.combinePublicKey(own))).toBe('CEREMONY_MESSAGE_INVALID Hospital1MSP');
  });

  it('does not use up the step, and round 1 cannot change after round 2', async () => {
    const { ceremony, party, round1 } = await atRound1();
    expect(sender(() => party.relinRound2(spoil(round1, wordAbove)))).toBe(invalid);
    const round2 = ask(ceremony, (each) => each.relinRound2(round1));
    const changed = spoil(round1, (body) => {
      const view = new DataView(body.buffer);
      view.setBigUint64(40, (view.getBigUint64(40, true) + 1n) % (toy.primes[0] as bigint), true);
      return body;
    });
    expect(sender(() => party.combineRelinKeys(changed, round2))).toBe(invalid);
    expect(sender(() => party.combineRelinKeys(round1, spoil(round2, wordAbove)))).toBe(invalid);
    expect(sender(() => party.combineRelinKeys(round1, round2))).toBeUndefined();
  });

  it('is named among the dealings, down to the sealed share', async () => {
    const { ceremony, party, round1 } = await atRound1();
    for (const each of ceremony.values()) each.relinRound2(round1);
    const sealingKeys = ask(ceremony, (each) => each.sealingPublicKey);
    await expect(party.dealings(new Map(sealingKeys).set(victim, new Uint8Array(5)))).rejects.toMatchObject({
      code: 'CEREMONY_MESSAGE_INVALID',
      sender: victim,
    });
    await expect(
      party.dealings(new Map(sealingKeys).set('Hospital1MSP', sealingKeys.get(victim) as Uint8Array)),
    ).rejects.toMatchObject({ code: 'CEREMONY_MESSAGE_INVALID', sender: 'Hospital1MSP' });
    const dealings = new Map<string, Uint8Array>();
    for (const [name, each] of ceremony) dealings.set(name, await each.dealings(sealingKeys));
    const named = { code: 'CEREMONY_MESSAGE_INVALID', sender: victim };
    // The salted hash of our share, its encapsulation, its ciphertext.
    for (const at of [40, 40 + 3 * 32 + 5, 40 + 3 * 32 + 1500]) {
      await expect(party.finish(spoil(dealings, flip(at)))).rejects.toMatchObject(named);
    }
    await expect(party.finish(spoil(dealings, (body) => body.subarray(1)))).rejects.toMatchObject(named);
    using key = await party.finish(dealings);
    expect(key.threshold).toBe(2);
  });
});

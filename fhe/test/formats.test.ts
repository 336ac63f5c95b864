/**
 * Formats and derivations against vectors that were written once: every later version must read and compute the
 * same. To add an entry, run with WRITE_VECTORS=1; a changed entry is a new version of a format, never a new vector.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shake256 } from '@noble/hashes/sha3.js';
import { blobHash, encodeBlob } from '../src/bytes/blob.js';
import { fromHex, sha256, sha256Hex, toHex } from '../src/bytes/canonical.js';
import { buildCiphertext, buildPublicKey, buildRelinKeys, parmsId } from '../src/bytes/seal.js';
import { bytesOf } from '../src/bytes/words.js';
import { commitment, epochSeed } from '../src/ceremony/commitment.js';
import { encodeMessage, type Roster } from '../src/ceremony/message.js';
import { type ParameterSet, parameterSet } from '../src/params/parameterSet.js';
import { combineShares } from '../src/release/combine.js';
import { floodingNoise, privacyNoise } from '../src/release/flooding.js';
import { discreteGaussian } from '../src/release/gaussian.js';
import { HolderKey } from '../src/release/holderKey.js';
import { pairKey, zeroShare } from '../src/release/zeroSharing.js';
import { encodeShare } from '../src/release/carried.js';
import { indicatorWeights } from '../src/release/indicatorCheck.js';
import { releaseVectorShare } from '../src/aggregate/vectorShare.js';
import { challengeOf } from '../src/ceremony/dealingCheck.js';
import { releaseShare, sumOfC0 } from '../src/release/share.js';
import { referencePolynomial } from '../src/ring/uniform.js';
import { generateSealingKeyPair, openSealed, sealTo } from '../src/sealing/hpke.js';

const path = join(__dirname, 'vectors', 'formats.json');
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const toy = parameterSet('toy');
const seed = sha256('vector seed');
const epoch = { epochId: 'vector-epoch', attempt: 3 };
const words = (label: string, set: ParameterSet = toy): BigUint64Array =>
  referencePolynomial(set, seed, epoch, label);

function concatenate(...parts: BigUint64Array[]): BigUint64Array {
  return BigUint64Array.from(parts.flatMap((part) => [...part]));
}

/** A ciphertext at two primes of words that stand in this file's derivation alone. */
function ciphertext(): Uint8Array {
  const limbs = 2 * toy.polyModulusDegree;
  const both = concatenate(words('c0').slice(0, limbs), words('c1').slice(0, limbs));
  return buildCiphertext(toy, { size: 2, primes: 2, scale: 2 ** 70, words: both });
}

function pairKeyOf(a: number, b: number): Uint8Array {
  const context = { parameterSetId: toy.id, epochId: epoch.epochId, shareVersion: epoch.attempt };
  const end = (index: number, to: number) => ({ index, salt: sha256(`salt ${index} ${to}`) });
  return pairKey(context, end(a, b), end(b, a));
}

const pairKeysOf = (index: number): Uint8Array[] =>
  [1, 2, 3].map((other) => (other === index ? new Uint8Array(32) : pairKeyOf(index, other)));

function vectorShareHash(): string {
  using holder = HolderKey.import(holderKeyBytes(1));
  const sum = BigUint64Array.of(1n, 2n, 3n);
  const request = { vectorId: 'v', sum, inputs: sha256Hex('inputs'), committee: [1, 3] };
  return blobHash(releaseVectorShare(holder, { ...request, privacySigma: 1000n }));
}

function challengeHash(roster: Roster): string {
  const { u, c1, e0 } = challengeOf(roster, seed, [sha256Hex('a'), sha256Hex('b')]);
  return sha256Hex(bytesOf(u), bytesOf(c1), String(e0));
}

/** A holder key's bytes, written out by hand as the format says. */
function holderKeyBytes(index: number): Uint8Array {
  const share = words(`share ${index}`).slice(0, toy.dataPrimes * toy.polyModulusDegree);
  const bytes = new Uint8Array(152 + share.byteLength + 3 * 32 + 32);
  bytes.set(text('SSHK'));
  bytes.set([2, index, 3, 2, epoch.attempt, 0, 0, 0, epoch.epochId.length], 4);
  bytes.set(fromHex(toy.id), 16);
  bytes.set(text(epoch.epochId), 48);
  bytes.set(sha256(`noise key ${index}`), 112);
  bytes.set(bytesOf(share), 152);
  for (const other of [1, 2, 3].filter((each) => each !== index)) {
    bytes.set(pairKeyOf(index, other), 152 + share.byteLength + (other - 1) * 32);
  }
  bytes.set(sha256(bytes.subarray(0, -32)), bytes.length - 32);
  return bytes;
}

function compute(): Record<string, unknown> {
  const names = ['additive', 'standard', 'deep', 'toy'];
  const sets = names.map(parameterSet);
  const blob = encodeBlob(
    { kind: 'ciphertext', parameterSetId: toy.id, epochId: epoch.epochId },
    text('body'),
  );
  const roster = { set: toy, ...epoch, members: ['Hospital1MSP', 'Hospital2MSP'], threshold: 2 };
  const key = concatenate(words('b'), words('a'));
  const stream = shake256.create({}).update(text('sampler'));
  const source = { take: (count: number): Uint8Array => stream.xof(count) };
  const noiseContext = {
    epochId: 'e',
    shareVersion: 1,
    committee: [1, 3],
    coefficient: 0,
    primes: 2,
    c1: 'ab',
  };
  const committee = [1, 3];
  const request = { ciphertext: ciphertext(), committee, sigma: 1n << 40n };
  const shares = new Map<number, Uint8Array>();
  const halves = new Map<number, Uint8Array>();
  for (const index of committee) {
    using holder = HolderKey.import(holderKeyBytes(index));
    expect(Buffer.compare(holder.export(), holderKeyBytes(index))).toBe(0);
    shares.set(index, releaseShare(holder, request));
    halves.set(index, releaseShare(holder, { ...request, coefficient: 'half' }));
  }
  const c0 = sumOfC0(ciphertext(), toy);
  const half = sumOfC0(ciphertext(), toy, 'half');
  return {
    parameterSetIds: Object.fromEntries(sets.map((set) => [set.name, set.id])),
    keyParmsIds: Object.fromEntries(sets.map((set) => [set.name, toHex(parmsId(set, set.primes.length))])),
    referencePolynomials: Object.fromEntries(
      sets.map((set) => [set.name, sha256Hex(bytesOf(words('publicKey', set)))]),
    ),
    epochSeed: toHex(
      epochSeed([
        { sender: 'Hospital1MSP', contribution: sha256('1') },
        { sender: 'Hospital2MSP', contribution: sha256('2') },
      ]),
    ),
    commitment: commitment({
      ...epoch,
      sender: 'Hospital1MSP',
      label: 'publicKey',
      nonce: sha256Hex('nonce'),
      bytesHash: sha256Hex('bytes'),
    }),
    blob: toHex(blob),
    ciphertext: sha256Hex(ciphertext()),
    publicKey: sha256Hex(buildPublicKey(toy, key)),
    relinKeys: sha256Hex(buildRelinKeys(toy, [key, key, key, key])),
    ceremonyMessage: blobHash(encodeMessage(roster, 'publicKey', 2, [bytesOf(words('b'))])),
    sampler: Array.from({ length: 8 }, () => String(discreteGaussian(source, 1000n))),
    floodingNoise: String(floodingNoise(sha256('noise key'), noiseContext, 1n << 60n)),
    privacyNoise: String(privacyNoise(sha256('noise key'), noiseContext, 1n << 60n)),
    pairKey: toHex(pairKeyOf(3, 1)),
    zeroShare: zeroShare(pairKeysOf(1), 1, committee, 'request', toy.primes.slice(0, 2)).map(String),
    share: blobHash(
      encodeShare(roster, {
        index: 1,
        committee,
        coefficient: 'half',
        c1: sha256Hex('c1'),
        share: halves.get(1) ?? new Uint8Array(),
      }),
    ),
    vectorShare: vectorShareHash(),
    dealingChallenge: challengeHash(roster),
    dealingCheckMessage: blobHash(
      encodeMessage(roster, 'dealingCheck', 2, [bytesOf(words('check').slice(0, 2 * toy.dataPrimes))]),
    ),
    disclosure: blobHash(encodeMessage(roster, 'disclosure', 1, [sha256('private key')])),
    indicatorWeights: sha256Hex(
      new Uint8Array(
        indicatorWeights(
          toy,
          {
            epochId: epoch.epochId,
            merkleRoot: sha256Hex('root'),
            randomness: sha256('random'),
            columns: new Map(),
          },
          'SEX=M',
        ).buffer,
      ),
    ),
    c0: toHex(c0),
    shares: Array.from(shares.values(), toHex),
    residue: String(combineShares(toy, { c0, shares })),
    c0Half: toHex(half),
    sharesHalf: Array.from(halves.values(), toHex),
    residueHalf: String(combineShares(toy, { c0: half, shares: halves })),
  };
}

interface Sealed {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly info: string;
  readonly message: string;
  readonly sealed: string;
}

interface Vectors extends Record<string, unknown> {
  readonly sealedMessage: Sealed;
}

describe('formats and derivations', () => {
  if (process.env['WRITE_VECTORS'] === '1') {
    beforeAll(async () => {
      const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<Vectors>) : {};
      const sealedMessage = before.sealedMessage ?? (await newSealedMessage());
      writeFileSync(path, `${JSON.stringify({ ...compute(), ...before, sealedMessage }, undefined, 2)}\n`);
    });
  }
  const vectors = (): Vectors => JSON.parse(readFileSync(path, 'utf8')) as Vectors;

  it('are those of the vectors', () => {
    const { sealedMessage: _, ...pinned } = vectors();
    expect(compute()).toEqual(pinned);
  });

  it('open the pinned sealed message', async () => {
    const { privateKey, info, message, sealed } = vectors().sealedMessage;
    const opened = await openSealed({ privateKey: fromHex(privateKey) }, fromHex(sealed), text(info));
    expect(new TextDecoder().decode(opened)).toBe(message);
  });
});

async function newSealedMessage(): Promise<Sealed> {
  const keys = await generateSealingKeyPair();
  const [info, message] = ['vector', 'a sealed count'];
  return {
    privateKey: toHex(keys.privateKey),
    publicKey: toHex(keys.publicKey),
    info,
    message,
    sealed: toHex(await sealTo(keys.publicKey, text(message), text(info))),
  };
}

/** Every kind of bytes that comes from others: samples, and a reading that gives the bytes that it would write. */
import {
  type BlobKind,
  buildCiphertext,
  buildPlaintext,
  buildPublicKey,
  buildRelinKeys,
  combineShares,
  decodeBlob,
  decodeShare,
  encodeBlob,
  encodeShare,
  generateSealingKeyPair,
  type ParameterSet,
  parseCiphertext,
  parsePlaintext,
  parsePublicKey,
  parseRelinKeys,
  readBlobHeader,
  SealContext,
  sealTo,
  sha256Hex,
  openSealed,
  blobHeaderLength,
} from '../../src/index.js';
import { checkMessage, encodeMessage, type MessageLabel } from '../../src/ceremony/message.js';
import { dealtCeremony, epochId, memberNames, rosterOf } from '../ceremonyFixture.js';

export interface Target {
  name: string;
  samples: Uint8Array[];
  /** Mutated inputs of a hundred thousand. */
  share: number;
  /**
   * Reads bytes strictly.
   * @returns the bytes of what was read, which must be the same again
   * @throws FheError for what is malformed
   */
  read: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** What the reading is for: SEAL loads accepted bytes and must write the same. */
  use?: (bytes: Uint8Array) => Uint8Array;
}

export async function targets(set: ParameterSet): Promise<Target[]> {
  const context = await SealContext.for(set);
  const ceremony = await dealtCeremony(set, 2, 2);
  const [first] = ceremony.parties.values();
  if (!first) throw new Error('the ceremony has no party');
  const publicKeyBlob = first.combinePublicKey(ceremony.publicKeys);
  const relinKeysBlob = first.combineRelinKeys(ceremony.round1, ceremony.round2);
  for (const party of ceremony.parties.values()) party[Symbol.dispose]();
  const body = (blob: Uint8Array, kind: BlobKind) =>
    decodeBlob(blob, { kind, parameterSetId: set.id, epochId }).slice();
  const publicKey = body(publicKeyBlob, 'publicKey');
  const relinKeys = body(relinKeysBlob, 'relinKeys');

  using key = context.loadPublicKey(publicKey);
  using encryptor = context.encryptor(key);
  const values = new Float64Array(set.slots).fill(0.25);
  const plaintexts = [1, set.dataPrimes].map((primes) => {
    using plaintext = context.encode(values, 2 ** 50, primes);
    return plaintext.save().slice();
  });
  const ciphertexts = [1, 2, set.dataPrimes].map((primes) => {
    using plaintext = context.encode(values, 2 ** 50, primes);
    using ciphertext = encryptor.encrypt(plaintext);
    return ciphertext.save().slice();
  });
  using low = context.loadCiphertext(ciphertexts[1] as Uint8Array);
  using squared = context.evaluator.square(low);
  ciphertexts.push(squared.save().slice());

  const roster = rosterOf(set, 2, 2);
  const [sender = ''] = memberNames(1);
  const message = (label: MessageLabel, blobs: ReadonlyMap<string, Uint8Array>, share: number): Target => ({
    name: `ceremony message ${label}`,
    samples: [blobs.get(sender) as Uint8Array],
    share,
    read: (bytes) => {
      const { index, payload } = checkMessage(roster, label, sender, bytes);
      return encodeMessage(roster, label, index, [payload]);
    },
  });

  const pair = await generateSealingKeyPair();
  const info = new TextEncoder().encode('fuzz');
  const sealed = await sealTo(pair.publicKey, new Uint8Array(100), info);
  const small = [Uint8Array.of(), Uint8Array.of(1, 2, 3), new Uint8Array(40).fill(7)];

  return [
    {
      name: 'blob',
      samples: (['ciphertext', 'publicKey', 'ceremony', 'manifest'] as const).flatMap((kind) =>
        small.map((bytes) => encodeBlob({ kind, parameterSetId: set.id, epochId }, bytes)),
      ),
      share: 30_000,
      read: (bytes) => encodeBlob(readBlobHeader(bytes), bytes.subarray(blobHeaderLength)),
    },
    {
      name: 'ciphertext',
      samples: ciphertexts,
      share: 25_000,
      read: (bytes) => buildCiphertext(set, parseCiphertext(bytes, set)),
      use: (bytes) => {
        using ciphertext = context.loadCiphertext(bytes);
        return ciphertext.save();
      },
    },
    {
      name: 'plaintext',
      samples: plaintexts,
      share: 15_000,
      read: (bytes) => buildPlaintext(set, parsePlaintext(bytes, set)),
      use: (bytes) => {
        using plaintext = context.loadPlaintext(bytes);
        return plaintext.save();
      },
    },
    {
      name: 'public key',
      samples: [publicKey],
      share: 8_000,
      read: (bytes) => buildPublicKey(set, parsePublicKey(bytes, set).words),
      use: (bytes) => {
        using loaded = context.loadPublicKey(bytes);
        return loaded.save();
      },
    },
    {
      name: 'relinearisation key',
      samples: [relinKeys],
      share: 1_500,
      read: (bytes) => buildRelinKeys(set, parseRelinKeys(bytes, set).keys),
      use: (bytes) => {
        using loaded = context.loadRelinKeys(bytes);
        return loaded.save();
      },
    },
    message('publicKey', ceremony.publicKeys, 8_000),
    message('relin1', ceremony.round1, 1_000),
    message('relin2', ceremony.round2, 1_500),
    message('dealing', ceremony.dealings, 4_000),
    {
      name: 'share',
      samples: [new Uint8Array(8), new Uint8Array(16), new Uint8Array(24).fill(3)],
      share: 6_000,
      read: (bytes) => {
        combineShares(set, { c0: new Uint8Array(16), shares: new Map([[1, bytes]]) });
        return bytes;
      },
    },
    {
      name: 'carried share',
      samples: ([0, 'half'] as const).map((coefficient) =>
        encodeShare(
          { set, epochId },
          {
            index: 2,
            committee: [1, 2],
            coefficient,
            c1: sha256Hex('c1'),
            share: new Uint8Array(16).fill(1),
          },
        ),
      ),
      share: 6_000,
      read: (bytes) => encodeShare({ set, epochId }, decodeShare({ set, epochId }, bytes)),
    },
    {
      name: 'sealed message',
      samples: [sealed],
      share: 400,
      read: async (bytes) => {
        await openSealed(pair, bytes, info);
        // Authenticated: nothing but the very bytes that were sealed opens.
        return sealed;
      },
    },
  ];
}

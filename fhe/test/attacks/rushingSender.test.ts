/**
 * The last sender of the relinearisation key's first round. If it sees the others' messages first, it makes the sums
 * h_1 = 0 and h_0 = 2^20, and every honest second message is s_i 2^20 plus a small error. Commitments take its choice.
 */
import { attempt, epochId, memberNames, parties, rosterOf, seedOf } from '../ceremonyFixture.js';
import { decodeBlob } from '../../src/bytes/blob.js';
import { sha256Hex } from '../../src/bytes/canonical.js';
import { bytesOf } from '../../src/bytes/words.js';
import { sumMessages } from '../../src/ceremony/collectiveKeys.js';
import { commitment, requireCommitted } from '../../src/ceremony/commitment.js';
import type { KeyCeremony } from '../../src/ceremony/keyCeremony.js';
import { encodeMessage, payloadPolynomials } from '../../src/ceremony/message.js';
import type { PartySecrets } from '../../src/ceremony/secrets.js';
import { parameterSet } from '../../src/params/parameterSet.js';
import { floorDivide } from '../../src/release/rational.js';
import { centre, inverseTransform } from './stage.js';

const set = parameterSet('standard');
const roster = rosterOf(set, 3, 2);
const attacker = 'Hospital3MSP';
const header = { kind: 'ceremony', parameterSetId: set.id, epochId } as const;
const known = 1n << 20n;

/** Round 1 of the honest, and the attacker's answer to it. */
async function round1() {
  const ceremony = await parties(set, 3, 2);
  const seed = seedOf(ceremony);
  const honest = new Map<string, Uint8Array>();
  for (const [name, party] of ceremony) {
    party.publicKeyShare(seed);
    honest.set(name, party.relinRound1());
  }
  const own = honest.get(attacker) as Uint8Array;
  return { ceremony, honest, own, forged: forge(honest, own) };
}

/** The message that brings the sums to h_0 = 2^20 and h_1 = 0. */
function forge(honest: ReadonlyMap<string, Uint8Array>, own: Uint8Array): Uint8Array {
  const { sums } = sumMessages(roster, 'relin1', honest);
  const mine = payloadPolynomials(roster, decodeBlob(own, header).subarray(40));
  const payload = sums.map((sum, i) =>
    bytesOf(
      sum.map((word, at) => {
        const prime = set.primes[Math.floor(at / set.polyModulusDegree)] as bigint;
        const others = word - (mine[i]?.[at] ?? 0n);
        return ((((i % 2 === 0 ? known : 0n) - others) % prime) + prime) % prime;
      }),
    ),
  );
  return encodeMessage(roster, 'relin1', 3, payload);
}

describe('a rushing last sender (standard)', () => {
  it("reads an honest party's secret where messages are not committed before they are shown", async () => {
    const { ceremony, honest, forged } = await round1();
    const victim = ceremony.get('Hospital1MSP') as KeyCeremony;
    const answer = victim.relinRound2(new Map(honest).set(attacker, forged));
    const [k] = payloadPolynomials(roster, decodeBlob(answer, header).subarray(40));
    const prime = set.primes[0] as bigint;
    const read = inverseTransform(set, k as BigUint64Array, 0).map((word) =>
      floorDivide(centre(word, prime) + known / 2n, known),
    );
    const { secrets } = victim as unknown as { secrets: PartySecrets };
    const truth = inverseTransform(set, secrets.ring.read(secrets.secret), 0).map((word) =>
      centre(word, prime),
    );
    expect(read).toEqual(truth);
    expect(new Set(truth)).toEqual(new Set([-1n, 0n, 1n]));
    for (const party of ceremony.values()) party[Symbol.dispose]();
  });

  it('is bound by its commitment, and named', async () => {
    const { ceremony, honest, own, forged } = await round1();
    const content = (sender: string) => ({
      epochId,
      attempt,
      sender,
      label: 'relin1' as const,
      nonce: sha256Hex(`nonce of ${sender}`),
    });
    // Everybody commits while nothing is shown: the attacker to something of its own.
    const committed = new Map(
      memberNames(3).map((sender) => [
        sender,
        commitment({ ...content(sender), bytesHash: sha256Hex(honest.get(sender) as Uint8Array) }),
      ]),
    );
    const reveal = (sender: string, bytes: Uint8Array): void => {
      requireCommitted(content(sender), bytes, committed.get(sender) as string);
    };
    expect(() => {
      reveal(attacker, forged);
    }).toThrow(expect.objectContaining({ code: 'CEREMONY_MESSAGE_INVALID', sender: attacker }) as Error);
    expect(() => {
      reveal(attacker, own);
      reveal('Hospital1MSP', honest.get('Hospital1MSP') as Uint8Array);
    }).not.toThrow();
    for (const party of ceremony.values()) party[Symbol.dispose]();
  });
});

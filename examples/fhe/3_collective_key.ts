/**
 * A collective key.
 *
 * Nobody ever holds the secret key: it is the sum of one secret for each hospital. What a hospital sends are messages
 * that hide its secret, and everybody adds them up to the same public key. Afterwards every hospital shares its secret
 * among all of them, so that any t of n can release a result together and fewer cannot.
 *
 * Every message of a round is committed to before any is shown. Otherwise the last one to speak could choose its
 * message after the others' and learn their secrets.
 *
 * Run: node examples/fhe/3_collective_key.ts [parameter set]
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  blobHash,
  type CeremonyLabel,
  commitment,
  epochSeed,
  FheError,
  KeyCeremony,
  parameterSet,
  requireCommitted,
  sha256Hex,
} from '@strokeshare/fhe';

const set = parameterSet(process.argv[2] ?? 'standard');
const [epochId, attempt, threshold] = ['2026-01', 0, 2];
const members = ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP'];
const parties = new Map<string, KeyCeremony>();
for (const self of members)
  parties.set(self, await KeyCeremony.create({ set, epochId, attempt, members, self, threshold }));
const each = <T>(step: (party: KeyCeremony) => T): Map<string, T> =>
  new Map([...parties].map(([name, party]) => [name, step(party)]));
const eachInTurn = async <T>(step: (party: KeyCeremony) => Promise<T>): Promise<Map<string, T>> => {
  const answers = new Map<string, T>();
  for (const [name, party] of parties) answers.set(name, await step(party));
  return answers;
};

/** One round: all commitments, then all messages, each checked against its commitment. */
function round(label: CeremonyLabel, messages: Map<string, Uint8Array>): Map<string, Uint8Array> {
  const openings = new Map<string, { nonce: string; committed: string }>();
  for (const [sender, bytes] of messages) {
    const nonce = randomBytes(32).toString('hex');
    const content = { epochId, attempt, sender, label, nonce, bytesHash: sha256Hex(bytes) };
    openings.set(sender, { nonce, committed: commitment(content) });
  }
  // On a ledger, this is where everybody waits until all commitments are there.
  for (const [sender, bytes] of messages) {
    const { nonce = '', committed = '' } = openings.get(sender) ?? {};
    requireCommitted({ epochId, attempt, sender, label, nonce }, bytes, committed);
  }
  const size = [...messages.values()].reduce((sum, { length }) => sum + length, 0);
  console.log(`${label}: ${messages.size} messages, ${(size / 1e6).toFixed(2)} MB`);
  return messages;
}

// The seed: everybody contributes, so that nobody chooses the common random polynomials.
const contributions = round(
  'seed',
  each((party) => party.seedContribution()),
);
const seed = epochSeed([...contributions].map(([sender, contribution]) => ({ sender, contribution })));

// The public key encrypts; the relinearisation key, made in two rounds, serves products of ciphertexts.
const publicKeyMessages = round(
  'publicKey',
  each((party) => party.publicKeyShare(seed)),
);
const round1 = round(
  'relin1',
  each((party) => party.relinRound1()),
);
const round2 = round(
  'relin2',
  each((party) => party.relinRound2(round1)),
);
const publicKeys = each((party) => party.combinePublicKey(publicKeyMessages));
const relinKeys = each((party) => party.combineRelinKeys(round1, round2));
assert.equal(new Set([...publicKeys.values()].map(blobHash)).size, 1);
assert.equal(new Set([...relinKeys.values()].map(blobHash)).size, 1);
console.log('every hospital computed the same keys');

// A bad message names its sender, and changes nothing.
const bent = new Map(publicKeyMessages).set(
  'Hospital2MSP',
  new Uint8Array(publicKeyMessages.get('Hospital2MSP') ?? []),
);
bent.get('Hospital2MSP')?.fill(0xff, -8);
try {
  parties.get('Hospital1MSP')?.combinePublicKey(bent);
  assert.fail('the message must be refused');
} catch (error) {
  assert.ok(error instanceof FheError && error.sender === 'Hospital2MSP');
  console.log(`refused: ${error.message}`);
}

// Sharing: sealed to each member's own key (X25519 and ML-KEM-768), then checked without opening anything.
const dealings = round(
  'dealing',
  await eachInTurn((party) => party.dealings(each((p) => p.sealingPublicKey))),
);
const checks = round('dealingCheck', await eachInTurn((party) => party.dealingCheck(dealings)));
const keys = await eachInTurn((party) => party.finish(dealings, { checks, publicKeys: publicKeyMessages }));
for (const [name, key] of keys)
  console.log(`${name} is holder ${key.index}; any ${key.threshold} of ${key.members} release`);
for (const party of parties.values()) party[Symbol.dispose]();
for (const key of keys.values()) key[Symbol.dispose]();

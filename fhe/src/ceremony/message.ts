/**
 * Messages of a ceremony: a `ceremony` blob (parameter set and epoch in its header) whose body is a header of 40
 * bytes and a payload of the one length that label, parameter set and number of members allow.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | label: publicKey 1, relin1 2, relin2 3, dealing 4, dealingCheck 5, disclosure 6 |
 * | 2 | 1 | index of the sender, 1 to n |
 * | 3 | 1 | zero |
 * | 4 | 4 | attempt (u32) |
 * | 8 | 32 | SHA-256 of the canonical JSON {members, threshold} |
 * | 40 | | payload: words, limb by limb, polynomial by polynomial; see dealing.ts, dealingCheck.ts, dispute.ts |
 */
import { decodeBlob, encodeBlob, requireEpochId } from '../bytes/blob.js';
import { canonicalJson, sha256, sha256Hex } from '../bytes/canonical.js';
import { polynomialsBelow, wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import type { CeremonyLabel } from './commitment.js';
import { dealingPayloadLength } from './dealing.js';
import { dealingCheckPayloadLength, disclosurePayloadLength } from './windows.js';

const version = 1;
const headerLength = 40;
const labelNumbers = {
  publicKey: 1,
  relin1: 2,
  relin2: 3,
  dealing: 4,
  dealingCheck: 5,
  disclosure: 6,
} as const;
/** Labels whose payload is whole polynomials over all primes. */
const polynomialLabels = ['publicKey', 'relin1', 'relin2'] as const;
type PolynomialLabel = (typeof polynomialLabels)[number];
const isPolynomialLabel = (label: MessageLabel): label is PolynomialLabel =>
  polynomialLabels.some((each) => each === label);
export type MessageLabel = Exclude<CeremonyLabel, 'seed'>;

/** What all parties of one attempt agree on. */
export interface Roster {
  readonly set: ParameterSet;
  readonly epochId: string;
  readonly attempt: number;
  /** MSP ids; a member's index is its position plus one. */
  readonly members: readonly string[];
  readonly threshold: number;
}

/** A message that passed every check. */
export interface CheckedMessage {
  readonly sender: string;
  readonly index: number;
  readonly payload: Uint8Array;
  /** Hex SHA-256 of the whole blob. */
  readonly hash: string;
}

/** @throws FheError ARGUMENT_INVALID */
export function requireRoster(roster: Roster): Roster {
  const { members, threshold, attempt } = roster;
  requireEpochId(roster.epochId);
  const invalid = (what: string): FheError => new FheError('ARGUMENT_INVALID', `A ceremony ${what}.`);
  if (members.length < 1 || members.length > 32) throw invalid('has 1 to 32 members');
  if (new Set(members).size !== members.length || members.includes(''))
    throw invalid('names each member once');
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > members.length) {
    throw invalid('has a threshold from 1 to the number of its members');
  }
  if (!Number.isInteger(attempt) || attempt < 0 || attempt > 0xffffffff)
    throw invalid('counts its attempts from 0');
  return Object.freeze({ ...roster, members: Object.freeze([...members]) });
}

/** Polynomials over all primes in a message of each label. */
function polynomials(label: PolynomialLabel, set: ParameterSet): number {
  return { publicKey: 1, relin1: 2 * set.dataPrimes, relin2: set.dataPrimes }[label];
}

function payloadLength(label: MessageLabel, roster: Roster, index: number): number {
  const { set, members } = roster;
  if (label === 'dealing') return dealingPayloadLength(set, members.length);
  if (label === 'dealingCheck') return dealingCheckPayloadLength(roster, index);
  if (label === 'disclosure') return disclosurePayloadLength;
  return 8 * polynomials(label, set) * set.primes.length * set.polyModulusDegree;
}

/** Whether every word of a payload of words is below its prime. */
function wordsAreBelow(label: MessageLabel, { set }: Roster, payload: Uint8Array): boolean {
  if (isPolynomialLabel(label)) return polynomialsBelow(wordsOf(payload), set.polyModulusDegree, set.primes);
  if (label !== 'dealingCheck') return true;
  return polynomialsBelow(wordsOf(payload), 1, set.primes.slice(0, set.dataPrimes));
}

function rosterHash({ members, threshold }: Roster): Uint8Array {
  return sha256(canonicalJson({ members, threshold }));
}

export function encodeMessage(
  roster: Roster,
  label: MessageLabel,
  index: number,
  payload: readonly Uint8Array[],
): Uint8Array {
  const body = new Uint8Array(headerLength + payloadLength(label, roster, index));
  body.set([version, labelNumbers[label], index, 0]);
  new DataView(body.buffer).setUint32(4, roster.attempt, true);
  body.set(rosterHash(roster), 8);
  let offset = headerLength;
  for (const part of payload) {
    body.set(part, offset);
    offset += part.length;
  }
  return encodeBlob({ kind: 'ceremony', parameterSetId: roster.set.id, epochId: roster.epochId }, body);
}

/**
 * Checks every field and word of one message.
 *
 * @throws FheError CEREMONY_MESSAGE_INVALID, whose `sender` names the party
 */
export function checkMessage(
  roster: Roster,
  label: MessageLabel,
  sender: string,
  blob: Uint8Array,
): CheckedMessage {
  const index = roster.members.indexOf(sender) + 1;
  const fail = (what: string, cause?: unknown): FheError =>
    new FheError('CEREMONY_MESSAGE_INVALID', `The ${label} message of ${sender} ${what}.`, { sender, cause });
  if (index === 0) throw fail('comes from no member');
  let body: Uint8Array;
  try {
    body = decodeBlob(blob, { kind: 'ceremony', parameterSetId: roster.set.id, epochId: roster.epochId });
  } catch (cause) {
    throw fail('is no ceremony blob of this epoch and parameter set', cause);
  }
  if (body.length !== headerLength + payloadLength(label, roster, index)) throw fail('has another length');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body[0] !== version || body[3] !== 0) throw fail('has an unknown version');
  if (body[1] !== labelNumbers[label]) throw fail('has another label');
  if (body[2] !== index) throw fail('names another sender');
  if (view.getUint32(4, true) !== roster.attempt) throw fail('belongs to another attempt');
  if (rosterHash(roster).some((byte, i) => body[8 + i] !== byte))
    throw fail('names other members or threshold');
  const payload = body.subarray(headerLength);
  if (!wordsAreBelow(label, roster, payload)) {
    throw fail('has a word that is not below its prime');
  }
  return { sender, index, payload, hash: sha256Hex(blob) };
}

/**
 * Checks the messages of one label: one of each member, every field and word, and no payload twice.
 *
 * @returns in the members' order
 * @throws FheError CEREMONY_MESSAGE_MISSING or CEREMONY_MESSAGE_INVALID, whose `sender` names the party
 */
export function checkMessages(
  roster: Roster,
  label: MessageLabel,
  messages: ReadonlyMap<string, Uint8Array>,
): CheckedMessage[] {
  for (const sender of messages.keys()) {
    if (!roster.members.includes(sender)) {
      throw new FheError('CEREMONY_MESSAGE_INVALID', `${sender} is no member of this ceremony.`, { sender });
    }
  }
  const payloads = new Set<string>();
  return roster.members.map((sender) => {
    const blob = messages.get(sender);
    if (!blob) {
      throw new FheError('CEREMONY_MESSAGE_MISSING', `The ${label} message of ${sender} is missing.`, {
        sender,
      });
    }
    const checked = checkMessage(roster, label, sender, blob);
    const payloadHash = sha256Hex(checked.payload);
    if (payloads.has(payloadHash)) {
      throw new FheError('CEREMONY_MESSAGE_INVALID', `${sender} sent another member's ${label} message.`, {
        sender,
      });
    }
    payloads.add(payloadHash);
    return checked;
  });
}

/** A checked payload's polynomials over all primes, as aligned copies. */
export function payloadPolynomials({ set }: Roster, payload: Uint8Array): BigUint64Array[] {
  const words = wordsOf(payload);
  const size = set.primes.length * set.polyModulusDegree;
  return Array.from({ length: words.length / size }, (_, i) => words.subarray(i * size, (i + 1) * size));
}

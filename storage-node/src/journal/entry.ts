import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What a journal tells about. */
export const journalEvents = [
  /** The zone's process began or ended; `detail` says what it found. */
  'opened',
  'closed',
  /** An object came in, left for the external zone, or went to another institution. */
  'stored',
  'published',
  'replicated',
  'deleted',
  /** An access, and how it was answered. */
  'allowed',
  'refused',
  /** A download that was ended before its end; `detail` says why. */
  'cut',
  /** So many requests of one caller (or connections of one address) beyond the limit. */
  'limited',
  'computed',
  /** The head at `sequence` of `detail` is on the private channel. */
  'anchored',
  /** Head of the external zone's journal, as it was read. */
  'external',
  'damaged',
  'repaired',
  'held',
  'released',
] as const;
export type JournalEvent = (typeof journalEvents)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What happened, without the chain around it. */
export const journalFact = z.strictObject({
  event: z.enum(journalEvents),
  /** Who: MSP and certificate subject; absent for what the zone did by itself. */
  mspId: z.string().max(64).optional(),
  subject: z.string().max(400).optional(),
  /** The object. */
  blob: sha256.optional(),
  bytes: z.number().int().nonnegative().optional(),
  /** Never a patient's value, never a secret. */
  detail: z.string().max(1000).optional(),
});
export type JournalFact = z.infer<typeof journalFact>;

export const journalEntry = journalFact.extend({
  sequence: z.number().int().positive(),
  at: z.iso.datetime(),
  /** Hash of the entry before; 64 zeros for the first. */
  previous: sha256,
});
export type JournalEntry = z.infer<typeof journalEntry>;

/** The end of a chain. */
export interface JournalHead {
  sequence: number;
  hash: string;
}

/** Where every journal begins. */
export const GENESIS: JournalHead = { sequence: 0, hash: '0'.repeat(64) };

/** One line of the file: the entry's hash, a space, and its JSON, over whose bytes the hash goes. */
export function journalLine(entry: JournalEntry): { line: string; hash: string } {
  const json = JSON.stringify(entry);
  const hash = createHash('sha256').update(json).digest('hex');
  return { line: `${hash} ${json}\n`, hash };
}

/** A line that was read: undefined where it is not what {@link journalLine} writes. */
export function parseLine(line: string): { entry: JournalEntry; hash: string; sound: boolean } | undefined {
  const [hash = '', json = ''] = [line.slice(0, 64), line.slice(65)];
  if (!/^[0-9a-f]{64}$/.test(hash) || line[64] !== ' ') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const parsed = journalEntry.safeParse(value);
  if (!parsed.success) return undefined;
  return { entry: parsed.data, hash, sound: createHash('sha256').update(json).digest('hex') === hash };
}

/** Cuts a text that others chose to what an entry takes. */
export const clip = (text: string, length = 400): string => text.slice(0, length);

import { nodeFileSystem, type FileSystem } from '../file-system.js';
import { GENESIS, parseLine, type JournalEntry, type JournalHead } from './entry.js';
import { readLines } from './lines.js';

/** A head that the private channel holds. */
export interface Anchor {
  sequence: number;
  head: string;
  at: string;
}

/** Something that is not as it was written. */
export interface Finding {
  kind: 'altered' | 'missing' | 'cut' | 'rewritten' | 'damaged' | 'unknown';
  /** Entry or object. */
  what: string;
  sentence: string;
  /** The last anchor before it: up to there all is as it was anchored. Absent where nothing is. */
  since?: Anchor;
}

/** What a walk over a journal showed. */
export interface JournalReport {
  entries: number;
  head: JournalHead;
  findings: Finding[];
  /** The last anchor up to which everything is proven. */
  proven?: Anchor;
}

/**
 * Walks a journal from its first entry and compares it with the anchors on the ledger. An altered entry breaks its own
 * hash, a removed one the chain, a rewritten chain an anchor, a cut end the last anchor.
 *
 * @param anchors - in the order of their sequences.
 * @param visit - told every entry that can be read.
 */
export async function verifyJournal(
  path: string,
  anchors: readonly Anchor[],
  visit: (entry: JournalEntry) => void = () => undefined,
  files: FileSystem = nodeFileSystem,
): Promise<JournalReport> {
  const findings: Finding[] = [];
  const pending = [...anchors];
  let proven: Anchor | undefined;
  let broken = false;
  let head = GENESIS;
  let entries = 0;
  const find = (kind: Finding['kind'], what: string, sentence: string): void => {
    findings.push({ kind, what, sentence, ...(proven && { since: proven }) });
  };
  for await (const { text, whole } of readLines(files, path)) {
    const expected = head.sequence + 1;
    const line = whole ? parseLine(text) : undefined;
    if (!line) {
      broken = true;
      const what = whole ? 'is not an entry any more' : 'is only the beginning of an entry';
      find('altered', `entry ${expected}`, `The line after entry ${head.sequence} ${what}.`);
      head = { sequence: expected, hash: '' };
      continue;
    }
    entries += 1;
    const { entry, hash, sound } = line;
    if (entry.sequence > expected) {
      const last = entry.sequence - 1;
      const which = last === expected ? `Entry ${expected} is` : `Entries ${expected} to ${last} are`;
      find('missing', `entry ${expected}`, `${which} missing.`);
    } else if (entry.sequence < expected) {
      find('altered', `entry ${entry.sequence}`, `Entry ${entry.sequence} stands where ${expected} should.`);
    } else if (entry.previous !== head.hash && head.hash !== '') {
      find('altered', `entry ${expected}`, `Entry ${expected} does not follow from the one before it.`);
    }
    if (!sound) find('altered', `entry ${entry.sequence}`, `Entry ${entry.sequence} was altered.`);
    broken ||= findings.length > 0;
    visit(entry);
    head = { sequence: entry.sequence, hash };
    while (pending[0] && pending[0].sequence <= head.sequence) {
      const anchor = pending.shift();
      if (!anchor || anchor.sequence < head.sequence) continue;
      if (anchor.head === hash && !broken) proven = anchor;
      else if (anchor.head !== hash) {
        broken = true;
        const sentence = `Entry ${anchor.sequence} is not the one that was anchored at ${anchor.at}: the journal was rewritten.`;
        find('rewritten', `entry ${anchor.sequence}`, sentence);
      }
    }
  }
  const last = anchors.at(-1);
  if (last && last.sequence > head.sequence) {
    const sentence = `The journal ends with entry ${head.sequence}, and entry ${last.sequence} was anchored at ${last.at}: its end was cut off.`;
    find('cut', `entry ${head.sequence + 1}`, sentence);
  }
  return { entries, head, findings, ...(proven && { proven }) };
}

import { StorageError, fromSystem } from '../errors.js';
import { nodeFileSystem, type FileSystem, type GrowingFile } from '../file-system.js';
import {
  GENESIS,
  journalLine,
  parseLine,
  type JournalEntry,
  type JournalFact,
  type JournalHead,
} from './entry.js';
import { readLines } from './lines.js';

interface Waiting {
  fact: JournalFact;
  resolve: (head: JournalHead) => void;
  reject: (error: StorageError) => void;
}

/** Options of {@link Journal.open}. */
export interface JournalOptions {
  files?: FileSystem;
  now?: () => Date;
  /** Told every entry that is there already, in order. */
  visit?: (entry: JournalEntry) => void;
}

/**
 * A zone's journal: lines of JSON in which every entry carries the hash of the one before. An entry is on the disk
 * when `append` resolves; entries that come at the same time share one write and one fsync.
 */
export class Journal {
  #head: JournalHead;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #broken: StorageError | undefined;
  #closed = false;

  private constructor(
    private readonly path: string,
    private readonly file: GrowingFile,
    private readonly files: FileSystem,
    private readonly now: () => Date,
    head: JournalHead,
  ) {
    this.#head = head;
  }

  /**
   * Opens a journal and walks its whole chain. An unfinished last line, which a crash leaves and nobody was told of, is
   * dropped and its length noted.
   *
   * @throws StorageError `JOURNAL_DAMAGED`, `NO_SPACE`, `IO`.
   */
  static async open(path: string, options: JournalOptions = {}): Promise<Journal> {
    const { files = nodeFileSystem, now = () => new Date(), visit } = options;
    let head = GENESIS;
    let end = 0;
    try {
      for await (const { text, offset, whole } of readLines(files, path)) {
        if (!whole) break;
        const line = parseLine(text);
        if (!line?.sound || line.entry.sequence !== head.sequence + 1 || line.entry.previous !== head.hash) {
          throw new StorageError(
            'JOURNAL_DAMAGED',
            `The journal ${path} is not the chain that was written, from entry ${head.sequence + 1} on; "storage verify" says more.`,
          );
        }
        visit?.(line.entry);
        head = { sequence: line.entry.sequence, hash: line.hash };
        end = offset + Buffer.byteLength(text) + 1;
      }
      const file = await files.openAppend(path);
      const dropped = file.size - end;
      if (dropped > 0) await file.truncate(end);
      const journal = new Journal(path, file, files, now, head);
      await journal.append({
        event: 'opened',
        ...(dropped > 0 && { detail: `dropped ${dropped} bytes of an unfinished entry` }),
      });
      return journal;
    } catch (error) {
      throw error instanceof StorageError ? error : fromSystem(error, 'opening the journal');
    }
  }

  /** The last entry that is on the disk. */
  get head(): JournalHead {
    return this.#head;
  }

  /**
   * Adds an entry. What was not acknowledged is not in the chain.
   *
   * @throws StorageError `NO_SPACE`, `IO`: whoever wants to do what cannot be noted must not do it.
   */
  append(fact: JournalFact): Promise<JournalHead> {
    if (this.#closed)
      return Promise.reject(new StorageError('IO', `The journal ${this.path} is closed already.`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ fact, resolve, reject });
      this.#writing ??= this.drain();
    });
  }

  /** The lines after an entry, at most so many. */
  async linesAfter(sequence: number, limit: number): Promise<string[]> {
    const lines: string[] = [];
    for await (const { text, whole } of readLines(this.files, this.path)) {
      const entry = whole ? parseLine(text)?.entry : undefined;
      if (!entry || entry.sequence > this.#head.sequence || lines.length === limit) break;
      if (entry.sequence > sequence) lines.push(text);
    }
    return lines;
  }

  /** Notes the end, where that was not done before, and closes the file. */
  async close({ noted = false } = {}): Promise<void> {
    if (this.#closed) return;
    if (!noted) await this.append({ event: 'closed' }).catch(() => undefined);
    this.#closed = true;
    await this.#writing;
    await this.file.close();
  }

  private async drain(): Promise<void> {
    // Entries that come until the end of this turn share the write.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.write(this.#waiting.splice(0));
    this.#writing = undefined;
  }

  private async write(group: readonly Waiting[]): Promise<void> {
    if (this.#broken) {
      for (const { reject } of group) reject(this.#broken);
      return;
    }
    let head = this.#head;
    const heads: JournalHead[] = [];
    let text = '';
    for (const { fact } of group) {
      const entry = {
        sequence: head.sequence + 1,
        at: this.now().toISOString(),
        previous: head.hash,
        ...fact,
      };
      const { line, hash } = journalLine(entry);
      text += line;
      head = { sequence: entry.sequence, hash };
      heads.push(head);
    }
    const before = this.file.size;
    try {
      await this.file.append(Buffer.from(text));
      await this.file.sync();
    } catch (error) {
      const failure = fromSystem(error, 'writing the journal');
      // Half a line must not stand before what comes next.
      await this.file.truncate(before).catch((cause: unknown) => {
        this.#broken = fromSystem(cause, 'mending the journal');
      });
      for (const { reject } of group) reject(failure);
      return;
    }
    this.#head = head;
    group.forEach(({ resolve }, index) => resolve(heads[index] ?? head));
  }
}

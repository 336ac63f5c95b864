/** Tables as text: bytes to rows of cells by RFC 4180, with another delimiter where the mapping names one. */
import { Parser, type ParseResult } from 'papaparse';
import { ClientError } from '../errors.js';

/** Some rows as they stand in the table. */
export interface CellRows {
  /** Of each row its cells. */
  cells: (readonly string[])[];
  /** Of each row the line of the file that it begins in, from 1 on. */
  lines: number[];
}

/** How a table is written. */
export interface TableFormat {
  encoding: string;
  delimiter: string;
}

/** Characters that one row may have: more are a quote that is not closed, which would fill the memory. */
const LONGEST_ROW = 2 ** 20;
/** Bytes that are decoded at once. */
const PIECE = 2 ** 16;
const QUOTE = '"';

type LineEnd = '\n' | '\r\n' | '\r';

/**
 * Reads a table some rows at a time, in memory that does not grow with it. Empty lines are passed over; the first line
 * says how lines end.
 *
 * @throws ClientError `FILE_UNREADABLE`, `MAPPING_INVALID`.
 */
export async function* readDelimited(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { encoding, delimiter }: TableFormat,
): AsyncGenerator<CellRows> {
  const decoder = decoderOf(encoding);
  const text = new DelimitedText(delimiter);
  for await (const piece of bytes instanceof Uint8Array ? piecesOf(bytes) : bytes)
    yield text.take(decoder.decode(piece, { stream: true }));
  yield text.take(decoder.decode(), true);
}

/** Rows of a text that comes in pieces, cut anywhere. */
class DelimitedText {
  private parser: Parser | undefined;
  private lineEnd: LineEnd = '\n';
  /** What no row was made of yet, and the line that it begins in. */
  private rest = '';
  private line = 1;

  constructor(private readonly delimiter: string) {}

  /** The rows that end in one more piece, or with the text. */
  take(piece: string, isLast = false): CellRows {
    const text = this.rest + piece;
    this.rest = text;
    const parser = (this.parser ??= this.parserFor(text, isLast));
    const rows = parser ? this.rowsOf(parser, text, isLast) : { cells: [], lines: [] };
    if (this.rest.length > LONGEST_ROW)
      throw unreadable(
        `line ${this.line} begins a row of more than ${LONGEST_ROW} characters, as where a quote is not closed`,
      );
    return rows;
  }

  private parserFor(text: string, isLast: boolean): Parser | undefined {
    const lineEnd = firstLineEnd(text, isLast);
    if (lineEnd === undefined) return undefined;
    this.lineEnd = lineEnd;
    return new Parser({ delimiter: this.delimiter, newline: lineEnd });
  }

  private rowsOf(parser: Parser, text: string, isLast: boolean): CellRows {
    const { data, errors, meta } = parser.parse(text, 0, !isLast) as ParseResult<string[]>;
    this.rest = isLast ? '' : text.slice(meta.cursor);
    // Of the row that is not whole yet an error may be the cut's.
    const wrong = errors.find(({ row = 0 }) => row < data.length)?.row;
    const quoted = text.includes(QUOTE);
    const rows: CellRows = { cells: [], lines: [] };
    for (const cells of wrong === undefined ? data : data.slice(0, wrong)) {
      if (cells.length > 1 || cells[0] !== '') {
        rows.cells.push(cells);
        rows.lines.push(this.line);
      }
      this.line += quoted ? 1 + this.lineEndsIn(cells) : 1;
    }
    if (wrong !== undefined) throw unreadable(`the quotes of line ${this.line} do not match`);
    return rows;
  }

  private lineEndsIn(cells: readonly string[]): number {
    return cells.reduce((sum, cell) => sum + cell.split(this.lineEnd).length - 1, 0);
  }
}

/** How the first line ends that is not in quotes; undefined where the text does not say it yet. */
function firstLineEnd(text: string, isLast: boolean): LineEnd | undefined {
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (character === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (character === '\n') return '\n';
    else if (character === '\r' && (isLast || i + 1 < text.length))
      return text[i + 1] === '\n' ? '\r\n' : '\r';
  }
  return isLast ? '\n' : undefined;
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}

function decoderOf(encoding: string) {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new ClientError('MAPPING_INVALID', `The encoding ${encoding} is not known.`, { cause });
  }
}

function unreadable(what: string): ClientError {
  return new ClientError('FILE_UNREADABLE', `The table cannot be read: ${what}.`);
}

import type { FileSystem } from '../file-system.js';
import { isAbsent } from '../errors.js';

const PART_BYTES = 256 * 1024;

/** A line of a file with its place; `whole` says whether it ends with a line feed. */
export interface Line {
  text: string;
  offset: number;
  whole: boolean;
}

/** Reads a file line by line in bounded memory; a file that is not there has none. */
export async function* readLines(files: FileSystem, path: string): AsyncIterable<Line> {
  let file;
  try {
    file = await files.openRead(path);
  } catch (error) {
    if (isAbsent(error)) return;
    throw error;
  }
  try {
    let rest = Buffer.alloc(0);
    let offset = 0;
    for (let position = 0; position < file.size;) {
      const part = await file.read(position, PART_BYTES);
      if (part.length === 0) break;
      position += part.length;
      let bytes = rest.length > 0 ? Buffer.concat([rest, part]) : Buffer.from(part);
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
        yield { text: bytes.toString('utf8', 0, end), offset, whole: true };
        offset += end + 1;
        bytes = bytes.subarray(end + 1);
      }
      rest = Buffer.from(bytes);
    }
    if (rest.length > 0) yield { text: rest.toString('utf8'), offset, whole: false };
  } finally {
    await file.close();
  }
}

/** One number for the code that a process runs; a packed chaincode carries it in its label. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { byText } from './api/canonical.js';

/**
 * SHA-256, as hex, over the names and contents of all built files (JavaScript and WebAssembly) below folders: folder
 * by folder, in the order of their names. The place of the folders does not count.
 */
export function codeDigest(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders)
    for (const file of builtFiles(folder).sort(byText)) {
      const content = createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex');
      hash.update(`${file}\n${content}\n`);
    }
  return hash.digest('hex');
}

const builtFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(js|wasm)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));

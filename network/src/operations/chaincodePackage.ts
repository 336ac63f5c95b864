import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { tarGz } from './archive.js';

/** A chaincode package as Fabric's lifecycle knows it. */
export interface ChaincodePackage {
  /** `label:sha256` of the bytes; the chaincode process registers under it. */
  readonly packageId: string;
  readonly label: string;
  /** The `.tar.gz`. */
  readonly bytes: Uint8Array;
}

/** What is not code, or is made from it again. */
const LEFT_OUT = new Set(['node_modules', '.git', 'coverage']);

/**
 * Packs a Node chaincode: `metadata.json` and `code.tar.gz` with the project below `src/`, as `peer lifecycle chaincode
 * package --lang node` does. The same files give the same package id, on every machine.
 */
export async function packProject(label: string, path: string): Promise<ChaincodePackage> {
  const files = listFiles(path).map((file): [string, Buffer] => [
    ['src', ...relative(path, file).split(sep)].join('/'),
    readFileSync(file),
  ]);
  return packCode({ path: '.', type: 'node', label }, files);
}

/** Packs a chaincode that some command starts: `code.tar.gz` holds the command, which stands for the code. */
export async function packCommand(label: string, command: readonly string[]): Promise<ChaincodePackage> {
  return packCode({ type: 'ccaas', label }, [['command.json', JSON.stringify(command)]]);
}

/** `metadata.json` and `code.tar.gz` with these files; the same input gives the same bytes. */
export async function packCode(
  metadata: { readonly label: string; readonly type: string; readonly path?: string },
  files: readonly (readonly [string, string | Uint8Array])[],
): Promise<ChaincodePackage> {
  const bytes = await tarGz([
    ['metadata.json', JSON.stringify(metadata)],
    ['code.tar.gz', await tarGz(files)],
  ]);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { packageId: `${metadata.label}:${digest}`, label: metadata.label, bytes };
}

function listFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => !LEFT_OUT.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) return listFiles(path);
      return entry.isFile() ? [path] : [];
    });
}

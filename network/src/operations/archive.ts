import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** Packs files as `.tar.gz`; the same names and contents in the same order give the same bytes. */
export async function tarGz(
  files: readonly (readonly [name: string, content: string | Uint8Array])[],
): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of files)
    archive.entry({ name, mode: 0o644, mtime: new Date(0) }, Buffer.from(content));
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  return gzipSync(Buffer.concat(chunks));
}

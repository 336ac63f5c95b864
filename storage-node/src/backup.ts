import { join } from 'node:path';
import { StorageError, isAbsent } from './errors.js';
import { FileBlobStore } from './file-blob-store.js';
import { nodeFileSystem, replaceFile } from './file-system.js';

const JOURNALS = ['journal.jsonl', 'external-journal.jsonl'];
const STORES = ['ciphertexts', join('originals', 'objects')];
const ENVELOPES = join('originals', 'envelopes');

/** What a copy brought over. */
export interface Copied {
  objects: number;
  /** Objects that were there already, whole. */
  kept: number;
}

/**
 * Copies an internal zone from one folder to another, as backup or restore: objects first, each checked against its
 * name and forced to the disk, then envelopes, then the journals, so that a journal never tells of what is not there.
 * Objects are immutable: a second backup copies what is new. Everything in a backup is sealed or a ciphertext; the
 * key-encryption keys are not in it and are kept elsewhere.
 *
 * @throws StorageError `CORRUPT` when an object of the source is damaged, `STORE_OUTDATED`, `NO_SPACE`, `IO`.
 */
export async function copyZone(from: string, to: string): Promise<Copied> {
  const copied: Copied = { objects: 0, kept: 0 };
  const journals = new Map<string, Uint8Array>();
  for (const name of JOURNALS) {
    const bytes = await nodeFileSystem.readFile(join(from, name)).catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
    // Read before the objects: they may run ahead of the journal, never behind it.
    if (bytes) journals.set(name, bytes);
  }
  if (!journals.has('journal.jsonl'))
    throw new StorageError('CONFIG_INVALID', `${from} is not the folder of an internal zone.`);
  for (const name of STORES) {
    const [source, target] = await Promise.all([
      FileBlobStore.open(join(from, name)),
      FileBlobStore.open(join(to, name)),
    ]);
    for await (const hash of source.hashes()) {
      const known = await target.has(hash);
      await target.put(await source.get(hash));
      if (known) copied.kept += 1;
      else copied.objects += 1;
    }
  }
  const envelopes = join(to, ENVELOPES);
  await nodeFileSystem.mkdir(envelopes);
  for (const name of await nodeFileSystem.list(join(from, ENVELOPES)))
    if (name.endsWith('.json')) {
      const bytes = await nodeFileSystem.readFile(join(from, ENVELOPES, name));
      await replaceFile(nodeFileSystem, envelopes, name, bytes);
    }
  for (const [name, bytes] of journals) await replaceFile(nodeFileSystem, to, name, bytes);
  return copied;
}

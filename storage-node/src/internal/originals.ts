import { join } from 'node:path';
import { z } from 'zod';
import { StorageError, fromSystem } from '../errors.js';
import { FileBlobStore } from '../file-blob-store.js';
import { nodeFileSystem, replaceFile, type FileSystem } from '../file-system.js';
import { freshKey, seal, unseal, type KeyEncryption } from './key-encryption.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/;

const envelope = z.strictObject({
  format: z.literal(1),
  name: z.string().regex(NAME),
  /** From 1; a name is never written over. */
  version: z.number().int().positive(),
  /** SHA-256 of the sealed bytes: the object's name in the store. */
  object: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().nonnegative(),
  storedAt: z.iso.datetime(),
  /** Not to be deleted before. */
  retainUntil: z.iso.datetime(),
  key: z.strictObject({ keyId: z.string(), wrapped: z.string() }),
});
/** What lies beside a sealed object: its place, its retention, and the data key that opens it, wrapped. */
export type Envelope = z.infer<typeof envelope>;

/** Everything but the key, so that none of it can be changed without the key-encryption key. */
const keyContext = ({ name, version, object, bytes, storedAt, retainUntil }: Omit<Envelope, 'key'>): string =>
  JSON.stringify(['strokeshare/key', 1, name, version, object, bytes, storedAt, retainUntil]);
const bodyContext = (name: string, version: number): string =>
  JSON.stringify(['strokeshare/original', 1, name, version]);

/**
 * Original records at rest. Every version of every name is an object of its own, sealed by AES-256-GCM under a data
 * key of its own with name and version authenticated, and named by the SHA-256 of the sealed bytes. The data key lies
 * in the envelope, wrapped by a key-encryption key; a rotation rewraps envelopes and touches no object.
 */
export class Originals {
  private readonly envelopes = new Map<string, Envelope>();

  private constructor(
    private readonly folder: string,
    readonly objects: FileBlobStore,
    private readonly keys: KeyEncryption,
    private readonly files: FileSystem,
  ) {}

  /** @throws StorageError `STORE_OUTDATED`, `CORRUPT`, `NO_SPACE`, `IO`. */
  static async open(
    folder: string,
    keys: KeyEncryption,
    files: FileSystem = nodeFileSystem,
  ): Promise<Originals> {
    const objects = await FileBlobStore.open(join(folder, 'objects'), files);
    await objects.clearIncoming();
    const originals = new Originals(folder, objects, keys, files);
    await originals.load();
    return originals;
  }

  /** All envelopes, in the order of name and version. */
  list(): Envelope[] {
    return [...this.envelopes.values()].sort(
      (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) || a.version - b.version,
    );
  }

  /**
   * Keeps the next version of a name. When the promise resolves, object and envelope survive a power cut.
   *
   * @param retainUntil - not to be deleted before.
   * @throws StorageError `REQUEST_INVALID`, `NO_SPACE`, `IO`.
   */
  async put(name: string, plain: Uint8Array, retainUntil: Date, now = new Date()): Promise<Envelope> {
    if (!NAME.test(name))
      throw new StorageError('REQUEST_INVALID', 'A name has letters, digits and . _ - alone.');
    const version = (this.versionsOf(name).at(-1)?.version ?? 0) + 1;
    const dataKey = freshKey();
    const object = await this.objects.put(seal(dataKey, plain, bodyContext(name, version)));
    const place = {
      format: 1 as const,
      name,
      version,
      object,
      bytes: plain.length,
      storedAt: now.toISOString(),
      retainUntil: retainUntil.toISOString(),
    };
    const made: Envelope = { ...place, key: await this.keys.wrap(dataKey, keyContext(place)) };
    await this.write(made);
    return made;
  }

  /**
   * Opens a version of a name, the last one by default.
   *
   * @throws StorageError `NOT_FOUND`, `CORRUPT`, `KEY_INVALID`, `IO`.
   */
  async get(name: string, version?: number): Promise<Uint8Array> {
    const versions = this.versionsOf(name);
    const found =
      version === undefined ? versions.at(-1) : versions.find((candidate) => candidate.version === version);
    if (!found) throw new StorageError('NOT_FOUND', `There are no original records named ${name}.`);
    const sealed = await this.objects.get(found.object);
    const dataKey = await this.keys.unwrap(found.key, keyContext(found));
    try {
      return unseal(dataKey, sealed, bodyContext(found.name, found.version));
    } catch (cause) {
      throw new StorageError('CORRUPT', `The records ${name} do not open under their own key.`, { cause });
    }
  }

  /** The envelope of an object. */
  envelopeOf(object: string): Envelope | undefined {
    return this.envelopes.get(object);
  }

  /**
   * Wraps every data key that another key-encryption key wraps anew under the current one.
   *
   * @returns how many.
   */
  async rewrap(): Promise<number> {
    let count = 0;
    for (const old of this.list()) {
      if (old.key.keyId === this.keys.current) continue;
      const context = keyContext(old);
      const dataKey = await this.keys.unwrap(old.key, context);
      await this.write({ ...old, key: await this.keys.wrap(dataKey, context) });
      count += 1;
    }
    return count;
  }

  /** Deletes an object for good, its only key first; whoever calls this has checked that it may go. */
  async remove(object: string): Promise<void> {
    try {
      await this.files.unlink(this.pathOf(object));
      await this.files.syncFolder(join(this.folder, 'envelopes'));
    } catch (error) {
      throw fromSystem(error, `deleting object ${object}`);
    }
    this.envelopes.delete(object);
    await this.objects.remove(object);
  }

  private versionsOf(name: string): Envelope[] {
    return this.list().filter((candidate) => candidate.name === name);
  }

  private pathOf(object: string): string {
    return join(this.folder, 'envelopes', `${object}.json`);
  }

  private async write(made: Envelope): Promise<void> {
    const folder = join(this.folder, 'envelopes');
    try {
      await this.files.mkdir(folder);
      await replaceFile(this.files, folder, `${made.object}.json`, Buffer.from(JSON.stringify(made)));
    } catch (error) {
      throw fromSystem(error, `storing the envelope of ${made.object}`);
    }
    this.envelopes.set(made.object, made);
  }

  private async load(): Promise<void> {
    const folder = join(this.folder, 'envelopes');
    for (const name of await this.files.list(folder)) {
      if (!name.endsWith('.json')) continue;
      const text = Buffer.from(await this.files.readFile(join(folder, name))).toString('utf8');
      const parsed = envelope.safeParse(jsonOrUndefined(text));
      if (!parsed.success || `${parsed.data.object}.json` !== name)
        throw new StorageError('CORRUPT', `The envelope ${join(folder, name)} was altered.`);
      this.envelopes.set(parsed.data.object, parsed.data);
    }
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

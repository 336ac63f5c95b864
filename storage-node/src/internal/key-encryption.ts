import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { StorageError, isAbsent } from '../errors.js';
import { nodeFileSystem, replaceFile } from '../file-system.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** A data key as it may lie on a disk. */
export interface WrappedKey {
  /** Which key-encryption key opens it. */
  keyId: string;
  /** Base64. */
  wrapped: string;
}

/**
 * The key-encryption keys of an internal zone. A key management service joins by implementing these two: the keys
 * need not leave it.
 */
export interface KeyEncryption {
  /** Wraps a data key under the current key-encryption key; `context` must be the same when it is opened. */
  wrap(dataKey: Uint8Array, context: string): Promise<WrappedKey>;

  /** @throws StorageError `KEY_INVALID`. */
  unwrap(wrapped: WrappedKey, context: string): Promise<Uint8Array>;

  /** The id of the key that {@link wrap} uses now. */
  readonly current: string;
}

const ring = z
  .strictObject({
    current: z.string().min(1),
    /** Base64 of 32 bytes, by id. */
    keys: z.record(z.string(), z.base64().length(44)),
  })
  .refine(({ current, keys }) => current in keys, 'the current key is not among the keys');
type Ring = z.infer<typeof ring>;

/** Key-encryption keys in memory, from a file or from the environment. */
export class KeyRing implements KeyEncryption {
  private constructor(private readonly ring: Ring) {}

  /** Reads a ring of JSON. @throws StorageError `KEY_INVALID`. */
  static parse(text: string, place: string): KeyRing {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    const parsed = ring.safeParse(value);
    if (!parsed.success)
      throw new StorageError('KEY_INVALID', `${place} does not hold a ring of key-encryption keys.`);
    return new KeyRing(parsed.data);
  }

  /**
   * Reads the ring of a file that its owner alone can read, making a fresh one where there is none.
   *
   * @throws StorageError `KEY_INVALID`, also for a file that others can read.
   */
  static async file(path: string): Promise<KeyRing> {
    try {
      const { mode } = await stat(path);
      if ((mode & 0o077) !== 0)
        throw new StorageError('KEY_INVALID', `The key file ${path} can be read by others than its owner.`);
      return KeyRing.parse(await readFile(path, 'utf8'), path);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    const fresh = freshRing({});
    await write(path, fresh);
    return new KeyRing(fresh);
  }

  /** The ring of an environment variable. @throws StorageError `KEY_INVALID`. */
  static environment(name: string): KeyRing {
    return KeyRing.parse(process.env[name] ?? '', `The environment variable ${name}`);
  }

  /** Adds a fresh key to the ring of a file and makes it the current one; the old ones still open. */
  static async rotate(path: string): Promise<KeyRing> {
    const { ring: old } = await KeyRing.file(path);
    const fresh = freshRing(old.keys);
    await write(path, fresh);
    return new KeyRing(fresh);
  }

  get current(): string {
    return this.ring.current;
  }

  async wrap(dataKey: Uint8Array, context: string): Promise<WrappedKey> {
    const sealed = seal(this.keyOf(this.current), dataKey, context);
    return { keyId: this.current, wrapped: Buffer.from(sealed).toString('base64') };
  }

  async unwrap({ keyId, wrapped }: WrappedKey, context: string): Promise<Uint8Array> {
    try {
      return unseal(this.keyOf(keyId), Buffer.from(wrapped, 'base64'), context);
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError('KEY_INVALID', `The key ${keyId} does not open this data key.`, { cause });
    }
  }

  private keyOf(keyId: string): Buffer {
    const key = this.ring.keys[keyId];
    if (key === undefined)
      throw new StorageError('KEY_INVALID', `The key-encryption key ${keyId} is not in the ring.`);
    return Buffer.from(key, 'base64');
  }
}

function freshRing(keys: Ring['keys']): Ring {
  const current = `kek-${Object.keys(keys).length + 1}-${randomBytes(4).toString('hex')}`;
  return { current, keys: { ...keys, [current]: randomBytes(KEY_BYTES).toString('base64') } };
}

async function write(path: string, content: Ring): Promise<void> {
  await replaceFile(nodeFileSystem, dirname(path), basename(path), Buffer.from(JSON.stringify(content)));
}

/** A fresh data key. */
export const freshKey = (): Uint8Array => randomBytes(KEY_BYTES);

/** AES-256-GCM: nonce, ciphertext, tag. `context` is authenticated with it. Every key seals with random nonces. */
export function seal(key: Uint8Array, plain: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what {@link seal} made; throws where key, bytes or context are others. */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: string): Uint8Array {
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const body = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]);
}

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClientError } from '../errors.js';
import { makePrivateFolder, writePrivateFile } from './durable-file.js';
import { VaultLog } from './vault-log.js';

export type { VaultLog };

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/;

/**
 * An institution's secrets at rest: its share of the collective key, its signing and sealing keys, its original
 * records. Every entry is encrypted by AES-256-GCM under a key file that only its owner can read; the entry's name is
 * authenticated with it, so that entries cannot be exchanged. Whoever reads both the entries and the key file reads
 * the secrets: keep the key file on another volume where the host's backups are not trusted.
 */
export class Vault {
  private constructor(
    private readonly folder: string,
    private readonly key: Buffer,
  ) {}

  /**
   * Opens the vault in a folder, making folder and key file where they are not there.
   *
   * @throws ClientError `KEY_FILE_INVALID`.
   */
  static async open(folder: string, keyFile: string): Promise<Vault> {
    await makePrivateFolder(folder);
    const key = await readFile(keyFile).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new ClientError('KEY_FILE_INVALID', `The key file ${keyFile} cannot be read.`, { cause: error });
    });
    if (key && key.length !== KEY_BYTES) {
      throw new ClientError('KEY_FILE_INVALID', `The key file ${keyFile} does not hold ${KEY_BYTES} bytes.`);
    }
    if (key) return new Vault(folder, key);
    const fresh = randomBytes(KEY_BYTES);
    await writePrivateFile(keyFile, fresh);
    return new Vault(folder, fresh);
  }

  /** Keeps a secret under a name; a former one of that name is replaced. */
  async write(name: string, secret: Uint8Array): Promise<void> {
    await writePrivateFile(this.pathOf(name), this.seal(name, secret));
  }

  /**
   * Reads a secret; undefined where there is none of that name.
   *
   * @throws ClientError `KEY_FILE_INVALID` when the entry was altered or belongs to another key.
   */
  async read(name: string): Promise<Uint8Array | undefined> {
    const sealed = await readFile(this.pathOf(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!sealed) return undefined;
    return this.unseal(name, sealed, name);
  }

  /**
   * Opens a log of secrets, whose entries are sealed one by one.
   *
   * @throws ClientError `KEY_FILE_INVALID` when an entry was altered or belongs to another key.
   */
  openLog(name: string): Promise<{ log: VaultLog; entries: Uint8Array[] }> {
    // A slash is in no secret's name: an entry of a log is never taken for a secret.
    const context = (position: number): string => `${name}/${position}`;
    return VaultLog.open(this.pathOf(name), {
      seal: (entry, position) => this.seal(context(position), entry),
      open: (sealed, position) => this.unseal(context(position), sealed, name),
    });
  }

  /** The same for values that are JSON. */
  async writeJson(name: string, value: unknown): Promise<void> {
    await this.write(name, Buffer.from(JSON.stringify(value)));
  }

  /** Reads what {@link writeJson} wrote; the caller checks its shape. */
  async readJson(name: string): Promise<unknown> {
    const bytes = await this.read(name);
    return bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown);
  }

  /** Forgets a secret. */
  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true });
  }

  private seal(context: string, secret: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce);
    cipher.setAAD(Buffer.from(context));
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  }

  private unseal(context: string, sealed: Uint8Array, name: string): Uint8Array {
    try {
      const decipher = createDecipheriv(ALGORITHM, this.key, sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      const body = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES);
      return new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]));
    } catch (cause) {
      throw new ClientError(
        'KEY_FILE_INVALID',
        `The secret ${name} cannot be opened: it was altered, or the key file is another one.`,
        { cause },
      );
    }
  }

  private pathOf(name: string): string {
    if (!NAME.test(name)) throw new TypeError(`${name} cannot name a secret`);
    return join(this.folder, name);
  }
}

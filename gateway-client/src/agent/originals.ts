import {
  logisticSums,
  StorageError,
  storedFields,
  type InternalClient,
  type LogisticRequest,
  type LogisticSums,
} from '@strokeshare/storage-node';
import type { Vault } from './vault.js';

/** Original records, by name. */
export interface OriginalRecords {
  /** Keeps the next version. */
  write(name: string, value: unknown): Promise<void>;
  /** The last version; undefined where there is none, or where it was given up. The caller checks its shape. */
  read(name: string): Promise<unknown>;
  /** Gives a name up: nothing reads it any more, and two people of the institution may delete what it held. */
  remove(name: string): Promise<void>;
  /** Sums of the logistic log-likelihood over the records of a batch, computed where they lie. */
  logistic(name: string, request: LogisticRequest): Promise<LogisticSums>;
}

/** Original records in the institution's internal zone, encrypted at rest. */
export class ZoneOriginals implements OriginalRecords {
  constructor(private readonly zone: Pick<InternalClient, 'putOriginal' | 'getOriginal' | 'logistic'>) {}

  async write(name: string, value: unknown): Promise<void> {
    await this.zone.putOriginal(name, Buffer.from(JSON.stringify(value)));
  }

  async read(name: string): Promise<unknown> {
    try {
      const text = Buffer.from(await this.zone.getOriginal(name)).toString('utf8');
      return (JSON.parse(text) as unknown) ?? undefined;
    } catch (error) {
      if (error instanceof StorageError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    if ((await this.read(name)) !== undefined) await this.write(name, null);
  }

  logistic(name: string, request: LogisticRequest): Promise<LogisticSums> {
    return this.zone.logistic(name, request);
  }
}

/** Original records in the agent's own vault: for experiments without storage nodes. */
export class VaultOriginals implements OriginalRecords {
  constructor(private readonly vault: Vault) {}

  write(name: string, value: unknown): Promise<void> {
    return this.vault.writeJson(name, value);
  }

  read(name: string): Promise<unknown> {
    return this.vault.readJson(name);
  }

  remove(name: string): Promise<void> {
    return this.vault.remove(name);
  }

  async logistic(name: string, request: LogisticRequest): Promise<LogisticSums> {
    return logisticSums(storedFields.parse(await this.vault.readJson(name)), request);
  }
}

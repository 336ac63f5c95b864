import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writePrivateFile } from '../agent/durable-file.js';
import { ClientError } from '../errors.js';
import type { EventCheckpoint } from './events.js';

const stored = z.strictObject({
  blockNumber: z.string().regex(/^\d+$/).optional(),
  transactionId: z.string().min(1).optional(),
});

/** How far events were handled, in a file that is replaced as a whole: a crash leaves the last state or the new one. */
export class FileCheckpoint implements EventCheckpoint {
  private constructor(
    private readonly path: string,
    private blockNumber: bigint | undefined,
    private transactionId: string | undefined,
  ) {}

  /**
   * Opens a checkpoint; a file that is not there yet begins at the start.
   *
   * @throws ClientError `CHECKPOINT_INVALID`.
   */
  static async open(path: string): Promise<FileCheckpoint> {
    try {
      const text = await readFile(path, 'utf8');
      const { blockNumber, transactionId } = stored.parse(JSON.parse(text));
      return new FileCheckpoint(
        path,
        blockNumber === undefined ? undefined : BigInt(blockNumber),
        transactionId,
      );
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
        return new FileCheckpoint(path, undefined, undefined);
      throw new ClientError('CHECKPOINT_INVALID', `The checkpoint ${path} cannot be read.`, { cause });
    }
  }

  getBlockNumber(): bigint | undefined {
    return this.blockNumber;
  }

  getTransactionId(): string | undefined {
    return this.transactionId;
  }

  async checkpointChaincodeEvent({
    blockNumber,
    transactionId,
  }: {
    blockNumber: bigint;
    transactionId: string;
  }): Promise<void> {
    await writePrivateFile(this.path, JSON.stringify({ blockNumber: String(blockNumber), transactionId }));
    this.blockNumber = blockNumber;
    this.transactionId = transactionId;
  }
}

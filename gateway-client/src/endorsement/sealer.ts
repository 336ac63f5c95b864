import type { ChainTip, ChosenScheme } from '@strokeshare/chaincode';

/** What a block is built on and for. */
export interface SealWork {
  readonly chosen: ChosenScheme;
  readonly tip: ChainTip;
  /** Root of the batch that the block will seal. */
  readonly merkleRoot: string;
  /** Who will submit it. */
  readonly mspId: string;
}

/** How far the building of a block is. */
export interface SealProgress {
  readonly hashes: number;
  readonly hashesPerSecond: number;
  /** How many a block takes on average. */
  readonly expectedHashes: number;
}

/** The client's half of a scheme of endorsement: makes the proof that the scheme's contract half checks. */
export interface Sealer {
  /** The scheme's. */
  readonly name: string;
  /**
   * Makes a proof for one block.
   *
   * @throws ClientError `CANCELLED` when the signal is aborted: another block came first, or nobody waits any more.
   */
  build(
    work: SealWork,
    options: { signal: AbortSignal; onProgress?: (progress: SealProgress) => void },
  ): Promise<Uint8Array>;
}

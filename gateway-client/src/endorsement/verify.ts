import { verifyChain, type ChosenScheme, type SealedBlock } from '@strokeshare/chaincode';
import { ClientError } from '../errors.js';
import type { EndorsementClient } from './miner.js';

/** A chain that was replayed from its genesis. */
export interface VerifiedChain {
  chosen: ChosenScheme;
  height: number;
  /** Hash of the last block. */
  hash: string;
  /** Sealed entries. */
  entries: number;
}

/**
 * Replays a channel's chain of blocks from its genesis by the scheme's own rules. Whoever knows the hash of a block from
 * elsewhere compares it with `hash`.
 *
 * @param readers - the same channel through one peer or more; each peer's chain is replayed.
 * @throws ClientError `CHAIN_INVALID` at the first block that breaks a rule, or where two peers' chains differ.
 */
export async function verifyEndorsement(
  readers: readonly EndorsementClient[],
  signal: AbortSignal,
): Promise<VerifiedChain> {
  const [first, ...others] = readers;
  if (!first) throw new TypeError('a chain is read through a peer');
  const { scheme, chosen } = await first.scheme({}, { signal });
  if (!chosen || scheme === 'none')
    throw new ClientError('SCHEME_UNKNOWN', 'The channel seals nothing: its scheme is none.');
  const { height } = await first.tip({}, { signal });
  const verified = await replay(first, chosen, height, signal);
  for (const reader of others) {
    const other = await replay(reader, chosen, height, signal);
    if (other.hash !== verified.hash)
      throw new ClientError('CHAIN_INVALID', `Two peers have different blocks up to height ${height}.`);
  }
  return verified;
}

async function replay(
  reader: EndorsementClient,
  chosen: ChosenScheme,
  height: number,
  signal: AbortSignal,
): Promise<VerifiedChain> {
  let entries = 0;
  async function* counted(): AsyncGenerator<SealedBlock> {
    for await (const block of blocksOf(reader, height, signal)) {
      entries += block.batch.length;
      yield block;
    }
  }
  try {
    const tip = await verifyChain(chosen, counted());
    if (tip.height !== height)
      throw new ClientError('CHAIN_INVALID', `The chain ends at height ${tip.height}, not ${height}.`);
    return { chosen, height, hash: tip.hash, entries };
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClientError('CHAIN_INVALID', `The chain of blocks breaks its rules: ${reason}`, { cause });
  }
}

async function* blocksOf(
  reader: EndorsementClient,
  height: number,
  signal: AbortSignal,
): AsyncGenerator<SealedBlock> {
  let after: string | undefined;
  do {
    const page = await reader.blocks({ limit: 20, ...(after !== undefined && { after }) }, { signal });
    for (const block of page.items) if (block.height <= height) yield block;
    if (page.items.some((block) => block.height >= height)) return;
    after = page.next;
  } while (after !== undefined);
}

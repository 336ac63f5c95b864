import { HolderKey } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import type { AgentContext } from './context.js';

const nameOf = (epochId: string): string => `holder-key-${epochId.replaceAll(':', '_')}`;

/** Keeps the institution's share of the collective key in its vault. */
export async function storeHolderKey({ vault }: AgentContext, key: HolderKey): Promise<void> {
  await vault.write(nameOf(key.epochId), key.export());
}

/**
 * Opens the share; the caller disposes of it as soon as the work is done.
 *
 * @throws ClientError `KEY_FILE_INVALID` when this institution holds none.
 */
export async function openHolderKey({ vault }: AgentContext, epochId: string): Promise<HolderKey> {
  const bytes = await vault.read(nameOf(epochId));
  if (!bytes)
    throw new ClientError('KEY_FILE_INVALID', `This institution holds no share of the key of ${epochId}.`);
  return HolderKey.import(bytes);
}

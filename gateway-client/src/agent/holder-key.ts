import { HolderKey, ReleaseJournal } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import type { AgentContext } from './context.js';

const nameOf = (epochId: string): string => `holder-key-${epochId.replaceAll(':', '_')}`;

/** The file of a key's release journal: every attempt has its own. */
export function releaseLogOf({ epochId, shareVersion }: Pick<HolderKey, 'epochId' | 'shareVersion'>): string {
  return `releases-${epochId.replaceAll(':', '_')}-${shareVersion}`;
}

/** Keeps the institution's share of the collective key in its vault, its release journal opened before it. */
export async function storeHolderKey({ vault }: AgentContext, key: HolderKey): Promise<void> {
  await vault.remove(releaseLogOf(key));
  const { log } = await vault.openLog(releaseLogOf(key));
  await log.append(Buffer.from(JSON.stringify(ReleaseJournal.opening(key))));
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

/**
 * Forgets the share of an epoch, and with it the key of its noise: after an attempt that was aborted, so that nothing
 * of it serves again, and when the epoch is retired.
 *
 * @returns whether there was one.
 */
export async function forgetHolderKey(context: AgentContext, epochId: string): Promise<boolean> {
  const bytes = await context.vault.read(nameOf(epochId));
  if (!bytes) return false;
  using key = HolderKey.import(bytes);
  await context.vault.remove(nameOf(epochId));
  await context.vault.remove(releaseLogOf(key));
  context.releases.delete(releaseLogOf(key));
  return true;
}

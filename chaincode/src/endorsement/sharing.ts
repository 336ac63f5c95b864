/**
 * The hooks of the sharing transactions: what they write is announced as PENDING, and what reads it for use asks for
 * CONFIRMED. Neither reads the tip, so that no sharing transaction and no job ever waits for a block.
 */
import { digestOf } from '../api/canonical.js';
import { type ChosenScheme, type SharingKind, sharingKinds } from '../api/endorsement.js';
import { ContractError } from '../errors.js';
import {
  type RecordKind,
  schemeRecords,
  sealedBlocks,
  sharingConfirmed,
  sharingPending,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';

export const CHOSEN = 'chosen';
/** Keys of blocks sort as their heights do. */
export const heightKey = (height: number): string => String(height).padStart(10, '0');

const isSharing = (type: string): type is SharingKind => (sharingKinds as readonly string[]).includes(type);

function sharingKey<T>({ type }: RecordKind<T>, ids: readonly string[]): [SharingKind, string] {
  if (!isSharing(type)) throw new TypeError(`Records of the kind ${type} are not sealed.`);
  return [type, ids.join('/')];
}

/** The scheme that seals this channel, if any does. */
export async function sealingScheme(ledger: Ledger): Promise<ChosenScheme | undefined> {
  const chosen = await ledger.find(schemeRecords, CHOSEN);
  return chosen === undefined || chosen.scheme === 'none' ? undefined : chosen;
}

/** After a sharing transaction wrote its record: enters it as PENDING, under a key of its own. */
export async function pend<T>(
  { ledger, caller, at }: Transaction,
  kind: RecordKind<T>,
  record: T,
  ...ids: string[]
): Promise<void> {
  if (!(await sealingScheme(ledger))) return;
  const [type, id] = sharingKey(kind, ids);
  await ledger.create(
    sharingPending,
    { kind: type, id, digest: digestOf(record), by: caller.mspId, at },
    type,
    id,
  );
}

/**
 * Before a shared record is used: it must be CONFIRMED at the depth that the channel chose.
 * @throws ContractError NOT_CONFIRMED
 */
export async function requireConfirmed<T>(
  ledger: Ledger,
  kind: RecordKind<T>,
  ...ids: string[]
): Promise<void> {
  const chosen = await sealingScheme(ledger);
  if (!chosen) return;
  const [type, id] = sharingKey(kind, ids);
  const confirmed = await ledger.find(sharingConfirmed, type, id);
  if (!confirmed)
    throw new ContractError('NOT_CONFIRMED', `The ${kind.word} "${id}" is PENDING: no block has sealed it.`);
  if (!(await hasDepth(ledger, confirmed.height, chosen.depth)))
    throw new ContractError(
      'NOT_CONFIRMED',
      `The ${kind.word} "${id}" was sealed at height ${confirmed.height} and has not the depth of ${chosen.depth}.`,
    );
}

/** Whether the block that completes the depth is there: its key is written once, unlike the tip. */
export const hasDepth = (ledger: Ledger, height: number, depth: number): Promise<boolean> =>
  ledger.has(sealedBlocks, heightKey(height + depth - 1));

/**
 * Anchors of the storage node's access journal. They only grow: a node that rewrote its journal could not anchor the
 * new one without showing two heads of one sequence, or a sequence that went back.
 */
import { type AnchorJournal, type GetJournalAnchor, type JournalAnchor } from '../api/anchors.js';
import { ContractError } from '../errors.js';
import { journalAnchors, journalTips, numberKey } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';

/** Notes a head; the same head of the same sequence again is no change, so that a client may repeat its call. */
export async function anchorJournal(
  transaction: Transaction,
  { sequence, head }: AnchorJournal,
): Promise<JournalAnchor> {
  const { ledger, caller, at } = transaction;
  const known = await ledger.find(journalAnchors, caller.mspId, numberKey(sequence));
  if (known?.head === head) return known;
  if (known)
    throw new ContractError(
      'HASH_MISMATCH',
      `The journal was anchored at ${sequence} before, with another head.`,
    );
  const tip = await ledger.find(journalTips, caller.mspId);
  if (tip && sequence < tip.sequence)
    throw new ContractError(
      'ILLEGAL_STATE',
      `The journal is anchored up to ${tip.sequence}: an anchor at ${sequence} would go back.`,
    );
  const anchor: JournalAnchor = { sequence, head, at };
  await ledger.put(journalAnchors, anchor, caller.mspId, numberKey(sequence));
  await ledger.put(journalTips, anchor, caller.mspId);
  transaction.emit(String(sequence));
  return anchor;
}

/** @throws ContractError NOT_FOUND */
export function journalAnchorOf(
  { ledger, caller }: Transaction,
  { sequence }: GetJournalAnchor,
): Promise<JournalAnchor> {
  return sequence === undefined
    ? ledger.get(journalTips, caller.mspId)
    : ledger.get(journalAnchors, caller.mspId, numberKey(sequence));
}

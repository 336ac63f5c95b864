/**
 * Writes and reads the audit trail. Every entry has a key of its own, in the order of time, and one key for each thing
 * that it is about: no two transactions write the same key.
 */
import { type AuditEntry, type AuditSubject, type ListAudit } from '../api/audit.js';
import { byText } from '../api/canonical.js';
import { auditEntries, auditReferences } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';

/** What a transaction says of itself; the frame adds who, when and which transaction. */
export type AuditDraft = Omit<AuditEntry, 'entryId' | 'at' | 'transaction' | 'by'>;

export async function writeEntry(ledger: Ledger, entry: AuditEntry): Promise<void> {
  const { at, entryId } = entry;
  const institutions = [...new Set([...entry.institutions, entry.by.mspId])].sort(byText);
  const complete = { ...entry, institutions };
  await ledger.put(auditEntries, complete, at, entryId);
  for (const [subject, ids] of Object.entries(subjectsOf(complete)))
    for (const id of ids) await ledger.put(auditReferences, { at, entryId }, subject, id, at, entryId);
}

const subjectsOf = (entry: AuditEntry): Record<AuditSubject, readonly string[]> => ({
  job: entry.jobId === undefined ? [] : [entry.jobId],
  agreement: entry.agreement ? [entry.agreement.agreementId] : [],
  dataset: entry.datasets,
  researcher: entry.researcherId === undefined ? [] : [entry.researcherId],
  institution: entry.institutions,
});

/** For evaluated transactions only. */
export async function listEntries(
  ledger: Ledger,
  { about, ...period }: ListAudit,
): Promise<{ items: AuditEntry[]; next?: string }> {
  if (!about) return ledger.page(auditEntries, [], inTime(period));
  const found = await ledger.page(auditReferences, [about.subject, about.id], inTime(period));
  const items: AuditEntry[] = [];
  for (const { at, entryId } of found.items) items.push(await ledger.get(auditEntries, at, entryId));
  return { ...found, items };
}

/** Keys begin with the instant, in one form: what comes after a bookmark or an instant is compared as text. */
function inTime({ after, from, until, limit }: Omit<ListAudit, 'about'>) {
  const start = from === undefined ? '' : new Date(from).toISOString();
  return {
    limit,
    after: after !== undefined && after > start ? after : start,
    ...(until !== undefined && { before: new Date(until).toISOString() }),
  };
}

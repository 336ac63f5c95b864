/**
 * Writes and reads the audit trail. Every entry has a key of its own, in the order of time, and keys for the things
 * that it is about: no two transactions write the same key. A job's step, or a change of an agreement, is about all the
 * agreement's datasets and owners, of whom there may be many: it is noted under the agreement once, and they lead there.
 */
import { type AuditEntry, type AuditSubject, type ListAudit } from '../api/audit.js';
import { byText } from '../api/canonical.js';
import { auditAgreements, auditEntries, auditReferences } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';

/** What a transaction says of itself; the frame adds who, when and which transaction. */
export type AuditDraft = Omit<AuditEntry, 'entryId' | 'at' | 'transaction' | 'by'>;

type About = NonNullable<ListAudit['about']>;

/** Entries of one page, unless the request says otherwise. */
const PAGE = 100;

export async function writeEntry(ledger: Ledger, entry: AuditEntry): Promise<void> {
  const { at, entryId, agreement, jobId } = entry;
  const institutions = [...new Set([...entry.institutions, entry.by.mspId])].sort(byText);
  await ledger.put(auditEntries, { ...entry, institutions }, at, entryId);
  for (const [subject, ids] of Object.entries(subjectsOf(entry)))
    for (const id of ids) await ledger.put(auditReferences, { at, entryId }, subject, id, at, entryId);
  // A job's datasets and owners are those of its agreement, which was proposed before.
  if (!agreement || jobId !== undefined) return;
  const { agreementId } = agreement;
  for (const [subject, ids] of Object.entries({ dataset: entry.datasets, institution: entry.institutions }))
    for (const id of ids)
      await ledger.put(auditAgreements, { agreementId }, subject, id, agreementId, entryId);
}

/** What an entry is noted under itself. */
function subjectsOf(entry: AuditEntry): Record<AuditSubject, readonly string[]> {
  const { agreement, jobId, researcherId, datasets, institutions, by } = entry;
  const caller = institutions.includes(by.mspId) ? [] : [by.mspId];
  return {
    job: jobId === undefined ? [] : [jobId],
    agreement: agreement ? [agreement.agreementId] : [],
    dataset: agreement ? [] : datasets,
    researcher: researcherId === undefined ? [] : [researcherId],
    institution: agreement ? caller : [...institutions, ...caller],
  };
}

/** For evaluated transactions only. A page may have fewer entries than its limit and others after it. */
export async function listEntries(
  ledger: Ledger,
  { about, ...request }: ListAudit,
): Promise<{ items: AuditEntry[]; next?: string }> {
  const { limit = PAGE } = request;
  const period = { ...inTime(request), limit };
  if (!about) return ledger.page(auditEntries, [], period);
  const found = new Map<string, { at: string; entryId: string }>();
  let goesOn = false;
  for (const { subject, id } of [about, ...(await agreementsOf(ledger, about))]) {
    const { items, next } = await ledger.page(auditReferences, [subject, id], period);
    for (const item of items) found.set(`${item.at}\0${item.entryId}`, item);
    goesOn ||= next !== undefined;
  }
  const names = [...found.keys()].sort(byText).slice(0, limit);
  const items: AuditEntry[] = [];
  for (const name of names) {
    const { at, entryId } = found.get(name) ?? { at: '', entryId: '' };
    const entry = await ledger.get(auditEntries, at, entryId);
    // Another version of an agreement may have other datasets and owners.
    if (isAbout(entry, about)) items.push(entry);
  }
  const last = names.at(-1);
  return { items, ...((goesOn || found.size > limit) && last !== undefined && { next: last }) };
}

/** The agreements under which there may be entries about a dataset or an institution. */
async function agreementsOf(ledger: Ledger, { subject, id }: About): Promise<About[]> {
  const agreements = new Set<string>();
  let after: string | undefined;
  do {
    const { items, next } = await ledger.page(auditAgreements, [subject, id], { after });
    for (const { agreementId } of items) agreements.add(agreementId);
    after = next;
  } while (after !== undefined);
  return [...agreements].map((agreementId) => ({ subject: 'agreement', id: agreementId }));
}

function isAbout({ datasets, institutions }: AuditEntry, { subject, id }: About): boolean {
  if (subject === 'dataset') return datasets.includes(id);
  return subject === 'institution' ? institutions.includes(id) : true;
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

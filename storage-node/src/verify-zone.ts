import { join } from 'node:path';
import { StorageError } from './errors.js';
import { FileBlobStore } from './file-blob-store.js';
import { Register } from './internal/objects.js';
import { LiveObjects, verifyObjects } from './journal/objects.js';
import { verifyJournal, type Anchor, type Finding, type JournalReport } from './journal/verify.js';

/** What a zone's folder holds, compared with what was written. */
export interface ZoneReport extends JournalReport {
  objects: number;
}

/**
 * Verifies an internal zone's folder: the journal against the anchors of the private channel, every object against the
 * journal, and the copy of the external journal against its heads. With `external`, also that zone's own folder.
 */
export async function verifyZone(
  folder: string,
  anchors: readonly Anchor[],
  external?: { folder: string; mspId: string },
): Promise<ZoneReport> {
  const register = new Register();
  const heads: Anchor[] = [];
  const report = await verifyJournal(join(folder, 'journal.jsonl'), anchors, (entry) => {
    register.visit(entry);
    const match = entry.event === 'external' && /^(\d+) ([0-9a-f]{64})$/.exec(entry.detail ?? '');
    if (match) heads.push({ sequence: Number(match[1]), head: match[2] ?? '', at: entry.at });
  });
  const since = report.proven && { since: report.proven };
  const findings: Finding[] = [...report.findings];
  let objects = 0;
  const check = async (path: string, live: LiveObjects, word: string): Promise<void> => {
    const result = await verifyObjects(await FileBlobStore.open(path), live);
    objects += result.objects;
    findings.push(
      ...result.findings.map((one) => ({ ...one, sentence: `${word}: ${one.sentence}`, ...since })),
    );
  };
  await check(join(folder, 'ciphertexts'), register.live.ciphertext, 'Ciphertexts');
  await check(join(folder, 'originals', 'objects'), register.live.original, 'Originals');
  const copied = await verifyJournal(join(folder, 'external-journal.jsonl'), heads);
  findings.push(...named(copied, 'Copy of the external journal'));
  if (external) {
    const { folder: outside, mspId } = external;
    const live = new Map<string, LiveObjects>();
    const outer = await verifyJournal(join(outside, 'journal.jsonl'), heads, (entry) => {
      const owner = entry.detail === 'replica' && entry.mspId !== undefined ? entry.mspId : mspId;
      const known = live.get(owner) ?? new LiveObjects();
      live.set(owner, known);
      known.visit(entry);
    });
    findings.push(...named(outer, 'External journal'));
    for (const [owner, list] of live)
      await check(
        owner === mspId ? join(outside, 'blobs') : join(outside, 'replicas', owner),
        list,
        owner === mspId ? 'External blobs' : `Replicas for ${owner}`,
      );
  }
  return { ...report, findings, objects };
}

function named({ findings }: JournalReport, word: string): Finding[] {
  return findings.map((one) => ({ ...one, sentence: `${word}: ${one.sentence}` }));
}

/** Says a report in sentences; the last one is the verdict. */
export function reportText({ entries, head, objects, findings, proven }: ZoneReport): string[] {
  const since = (anchor: Anchor | undefined): string =>
    anchor
      ? ` Everything up to entry ${anchor.sequence}, anchored at ${anchor.at}, is as it was.`
      : ' No anchor proves anything before it.';
  const lines = findings.map(({ sentence, since: anchor }) => `${sentence}${since(anchor)}`);
  const covered = proven ? `proven up to entry ${proven.sequence} (${proven.at})` : 'proven by no anchor yet';
  const verdict = findings.length === 0 ? 'Nothing is altered or missing' : `Findings: ${findings.length}`;
  return [...lines, `${verdict}: ${entries} entries up to ${head.sequence}, ${covered}, ${objects} objects.`];
}

/** @throws StorageError `CORRUPT` where anything was found. */
export function requireIntact(report: ZoneReport): void {
  if (report.findings.length > 0)
    throw new StorageError('CORRUPT', 'The zone is not as it was written; the findings are above.');
}

import type { ResultProvenance } from '../researcher/index.js';

/** What a result rests on, under its table: in words for people, in full, and short enough to be printed. */
export function provenanceText(
  state: string,
  { jobId, agreement, epochId, planHash, datasets, transactions, peers }: ResultProvenance,
  format: 'table' | 'md',
): string {
  const bullet = format === 'md' ? '- ' : '  ';
  const { agreementId, version, digest, signedBy } = agreement;
  const read =
    peers < 2
      ? 'Read from one peer: its word alone. Name a second one in the profile.'
      : `Read from ${peers} peers, which agree.`;
  return [
    `Job ${jobId} (${state}). ${read}`,
    `${bullet}agreement ${agreementId} version ${version}, digest ${digest}, signed by ${signedBy.join(', ')}`,
    `${bullet}key epoch ${epochId}, plan ${planHash}`,
    ...datasets.map(
      ({ datasetId, version: used, owner, merkleRoot, recordsChannel, block, batches }) =>
        `${bullet}${datasetId} version ${used} of ${owner}, root ${merkleRoot} (${recordsChannel}, block ${block}): ` +
        batches.map((batch) => `${batch.batchId} ${batch.merkleRoot}`).join(', '),
    ),
    ...transactions.map(
      ({ transactionId, transaction, by, at }) => `${bullet}${at} ${transaction} by ${by}, ${transactionId}`,
    ),
  ].join('\n');
}

/** Datasets as lines of text. */
import { codeOf, type DatasetUse, type DatasetView, type VersionAttestation } from '@strokeshare/chaincode';

export function versionText({
  version,
  change,
  batches,
  countsBand,
  epochId,
  merkleRoot,
}: VersionAttestation): string {
  const { minimum, maximum } = countsBand;
  const parts = batches.length === 1 ? '1 batch' : `${batches.length} batches`;
  return `version ${version} (${change}), ${parts}, ${minimum} to ${maximum} patients, key epoch ${epochId}, root ${merkleRoot}`;
}

export function lineOf({ datasetId, owner, status, current, title }: DatasetView): string {
  const version = current ? `version ${current.version}  ${current.epochId}` : 'no version';
  return [datasetId, owner, status.padEnd(10), version, title].join('  ');
}

export function showText(
  dataset: DatasetView,
  versions: readonly VersionAttestation[],
  uses: readonly DatasetUse[],
): string[] {
  const { datasetId, title, owner, status, schema, minimumCohort, conditions, withdrawal } = dataset;
  return [
    `${datasetId}: ${title}`,
    `  owner       ${owner}`,
    `  state       ${status}${withdrawal ? ` since ${withdrawal.at}: ${withdrawal.reason}` : ''}`,
    `  schema      ${schema.name} ${schema.version}: ${schema.variables.map(({ name }) => name).join(', ')}`,
    `  conditions  ${conditions.map(codeOf).join(', ')}; no count below ${minimumCohort}`,
    ...versions.map((version) => `  ${version.attestedAt}  ${versionText(version)}`),
    ...usesText(uses),
  ];
}

export function usesText(uses: readonly DatasetUse[]): string[] {
  if (uses.length === 0) return ['No job used these records.'];
  return [
    'Jobs that used these records; what they released cannot be taken back:',
    ...uses.map(
      ({ jobId, version, state, researcherId, agreementId, submittedAt }) =>
        `  ${jobId}  ${state}  version ${version}  by ${researcherId} under ${agreementId}, ${submittedAt}`,
    ),
  ];
}

/** The Stroke Outcome Optimization Project joins with a schema of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  LedgerError,
  loadRecords,
  provenanceOf,
  readMapping,
  requestAccess,
} from '@strokeshare/gateway-client';
import { parseSchema, type PatientRecord } from '@strokeshare/fhe';
import { ROOT } from '../report.js';
import type { Study } from '../study/alliance.js';
import { ask, readStudyJob, type Answer } from '../study/ask.js';

/** How the other institution joined. */
export interface Joined {
  /** Patients that were read, and rows that were left out. */
  read: number;
  rejected: number;
  answer: Answer;
  /** Questions about what only one schema has. */
  refusals: { asked: string; refused: boolean; reason: string }[];
}

const DATASET = 'soop';
const SHARED = ['AGE', 'SEX'];
const OWNER = 3;

/** Reads the table by its mapping, enters it beside the trial, asks for what both have, and for what one has not. */
export async function joinSoop(
  study: Study,
  datasets: readonly string[],
  trial: readonly PatientRecord[],
  progress: (line: string) => void,
): Promise<Joined> {
  const data = join(ROOT, 'data');
  const schema = parseSchema(JSON.parse(await readFile(join(data, 'schemas', 'soop.json'), 'utf8')));
  const mapping = await readMapping(join(data, 'mappings', 'soop.yaml'));
  const bytes = await readFile(join(data, 'SOOP_participants.tsv'));
  const { records, rejected } = await loadRecords(bytes, { schema, mapping });
  const own = records.map(({ values }) => values);
  await study.publish({
    datasetId: DATASET,
    title: 'Stroke Outcome Optimization Project',
    schema,
    records,
    provenance: provenanceOf(bytes, mapping, 'doi:10.18112/openneuro.ds004889.v1.1.2, CC0'),
    owner: OWNER,
  });
  await study.agree('with-soop', [...datasets, DATASET], SHARED);
  const both = { ...schema, variables: schema.variables.filter(({ name }) => SHARED.includes(name)) };
  const answer = await ask(study, await readStudyJob('soop-age'), both, [...trial, ...own], progress);
  const refusals = [
    await refusal(study, [...datasets, DATASET], 'RSBP', 'systolic pressure, which the trial alone has'),
    await refusal(
      study,
      [DATASET, ...datasets],
      'MRS',
      'the modified Rankin scale, which the other alone has',
    ),
  ];
  return { read: own.length, rejected: rejected.length, answer, refusals };
}

async function refusal(
  { researcher }: Study,
  datasets: readonly string[],
  variable: string,
  asked: string,
): Promise<Joined['refusals'][number]> {
  const now = Date.now();
  try {
    await requestAccess(researcher, {
      permissionId: `needs-${variable}`,
      datasets: [...datasets],
      variables: [variable],
      statistics: ['mean'],
      purpose: 'DUO:0000007',
      use: { diseases: ['MONDO:0005098'] },
      from: new Date(now).toISOString(),
      until: new Date(now + 86_400_000).toISOString(),
      minimumCohort: 1,
      releaseBudget: 10,
    });
    return { asked, refused: false, reason: 'was not refused' };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return { asked, refused: true, reason: error.message };
  }
}

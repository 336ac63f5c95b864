import { join } from 'node:path';
import { demo } from '@strokeshare/gateway-client';
import type { Schema } from '@strokeshare/fhe';
import { ROOT } from '../report.js';
import type { Study } from './alliance.js';

/** The records of the whole trial, and how they are dealt. */
export type Trial = demo.DealtRecords;

/** Reads the trial with the variables that the published figures need, and deals its countries to the hospitals. */
export function readTrial(): Promise<Trial> {
  return demo.dealTrial(join(ROOT, 'data'), demo.HOSPITALS.length, undefined, 'ist-study');
}

/** Enters the trial's four parts and has an agreement over all of their variables signed. */
export async function enterTrial(study: Study, { schema, hospitals, provenance }: Trial): Promise<string[]> {
  const datasets = demo.HOSPITALS.map(({ datasetId }) => datasetId);
  await Promise.all(
    hospitals.map((records, owner) =>
      study.publish({
        datasetId: datasets[owner] ?? '',
        title: `International Stroke Trial, part ${owner + 1}`,
        schema,
        records,
        provenance,
        owner,
      }),
    ),
  );
  await study.agree('study', datasets, namesOf(schema));
  return datasets;
}

/** The names of a schema's variables. */
export function namesOf(schema: Schema): string[] {
  return schema.variables.map(({ name }) => name);
}

import { demo } from '@strokeshare/gateway-client';
import type { BenchRow } from '../report.js';
import { withStudy } from '../study/alliance.js';
import { readTrial, type Trial } from '../study/trial.js';
import type { Bench } from './index.js';
import { loadingRows, writeTable } from './query/loading.js';

const BASE_PORT = 27_051;
/** The fewest that make a key. */
const HOSPITALS = 2;

/** What `query` measures of loading, alone. */
export const loadBench: Bench = {
  summary: 'loading a table of 1,000,000 patients beside the encryption alone; --quick for 65,536',
  async run(progress, { quick }) {
    return await loadingOf(await readTrial(), quick ? 65_536 : 1_000_000, progress);
  },
};

/** Loads a table of so many patients, on a network of its own. */
export async function loadingOf(
  trial: Trial,
  patients: number,
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  await using table = await writeTable(trial, patients);
  return await withStudy(
    'load',
    BASE_PORT,
    progress,
    (study) => loadingRows(study, table, progress),
    demo.hospitalsOf(HOSPITALS),
  );
}

import type { BenchRow } from '../report.js';
import { demoBench } from './demo.js';
import { fheBench } from './fhe.js';
import { floodBench } from './flood.js';
import { ledgerBench } from './ledger.js';
import { loadBench } from './load.js';
import { queryBench } from './query.js';
import { storageBench } from './storage.js';

/** What a person asks of a bench. */
export interface BenchOptions {
  /** A small form, where the bench has one. */
  readonly quick: boolean;
}

/** A bench: measures and returns rows; never judges. */
export interface Bench {
  readonly summary: string;
  run(progress: (line: string) => void, options: BenchOptions): Promise<readonly BenchRow[]>;
}

/** Every bench by its name on the command line. */
export const benches: Readonly<Record<string, Bench>> = {
  demo: demoBench,
  fhe: fheBench,
  flood: floodBench,
  ledger: ledgerBench,
  load: loadBench,
  query: queryBench,
  storage: storageBench,
};

import { consistency } from './consistency.js';
import { ist } from './ist.js';
import { nodesExperiment } from './nodes.js';
import { sharingExperiment } from './sharing.js';

/** What an experiment showed: whether its claim holds, and one line that sums it up. */
export interface Outcome {
  readonly holds: boolean;
  readonly summary: string;
}

/** An experiment: writes its files under `out/experiments/NAME` and says whether its claim holds. */
export interface Experiment {
  readonly summary: string;
  run(progress: (line: string) => void): Promise<Outcome>;
}

/** Every experiment by its name on the command line. */
export const experiments: Readonly<Record<string, Experiment>> = {
  consistency,
  ist,
  nodes: nodesExperiment,
  sharing: sharingExperiment,
};

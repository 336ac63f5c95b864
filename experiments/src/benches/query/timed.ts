import { parseAnalysisQuery, type AnalysisQuery } from '@strokeshare/fhe';
import { openResult, submitJob, waitForJob } from '@strokeshare/gateway-client';
import type { Study } from '../../study/alliance.js';

/** What a job does, in its order; holders replay as soon as the sums are there. */
export const STAGES = ['evaluate', 'aggregate', 'replay', 'counts', 'values', 'open'] as const;
export type Stage = (typeof STAGES)[number];

/** How long a job took, in seconds. */
export interface Timing {
  total: number;
  /** Of all processes, on however many cores. */
  processor: number;
  cells: number;
  stages: Record<Stage, number>;
}

/** When every kind of work on a job was last reported, in milliseconds. */
export class Watch {
  private readonly last = new Map<string, number>();

  constructor(study: Pick<Study, 'hear'>) {
    study.hear(({ step, id }) => this.last.set(`${step} ${id}`, performance.now()));
  }

  /** The time of the last report of a step of a job. */
  at(step: string, jobId: string): number | undefined {
    return this.last.get(`${step} ${jobId}`);
  }
}

/**
 * Asks one statistic through the whole system, from the submission to the opened result.
 *
 * Stages end with the last report of any agent; what two of them do at once counts for the one that ends later.
 */
export async function timed(
  { researcher, served }: Study,
  watch: Watch,
  agreement: string,
  statistics: AnalysisQuery['statistics'],
  processorTime: () => Promise<number>,
): Promise<Timing> {
  const query = parseAnalysisQuery({ version: 1, statistics });
  const usedBefore = await processorTime();
  const started = performance.now();
  const { jobId } = await submitJob(researcher, {
    ...{ name: 'bench', title: 'bench', purpose: 'DUO:0000007' },
    ...{ agreement, query, analyses: [] },
  });
  const { state } = await served(waitForJob(researcher, jobId));
  if (state !== 'RELEASED') throw new Error(`The job ${jobId} was not released: ${state}.`);
  const released = performance.now();
  const { plan } = await openResult(researcher, jobId);
  const ended = performance.now();
  const ends: Record<Stage, number | undefined> = {
    evaluate: watch.at('evaluate', jobId),
    aggregate: watch.at('aggregate', jobId),
    replay: watch.at('replay', jobId),
    counts: watch.at('counts', jobId),
    values: released,
    open: ended,
  };
  let before = started;
  const stages = STAGES.map((stage): [Stage, number] => {
    const end = Math.max(before, ends[stage] ?? before);
    const seconds = (end - before) / 1000;
    before = end;
    return [stage, seconds];
  });
  return {
    total: (ended - started) / 1000,
    processor: (await processorTime()) - usedBefore,
    cells: plan.cells.length + (plan.vector?.format.length ?? 0),
    stages: Object.fromEntries(stages) as Record<Stage, number>,
  };
}

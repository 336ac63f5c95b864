/** The frame of every step of a job: permission is decided again, and a refusal ends the job on the ledger. */
import { type DecisionStep } from '../api/decisions.js';
import { type Job, type JobState, type JobStep } from '../api/jobs.js';
import { moveOf, stepOf } from '../audit/drafts.js';
import { jobRecords, openJobs } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { decideStep, type StepBudget, type Surroundings } from '../permission/facts.js';
import { move } from '../states/machine.js';
import { jobMachine } from '../states/machines.js';
import { isFinal } from './jobState.js';

/**
 * Runs a step if it is permitted now; otherwise commits REFUSED.
 * @returns what the step made of the job: its state after it
 */
export async function permitted(
  transaction: Transaction,
  job: Job,
  step: DecisionStep,
  action: (surroundings: Surroundings) => Promise<JobState>,
  budget?: StepBudget,
): Promise<JobStep> {
  const { jobId } = job;
  const { decision, ...surroundings } = await decideStep(
    transaction.ledger,
    transaction.now,
    job,
    step,
    budget,
  );
  if (!decision.allowed) {
    const { refusal } = decision;
    await storeState(transaction, { ...job, refusal }, 'REFUSED');
    return { jobId, state: 'REFUSED', refusal };
  }
  transaction.record(stepOf(job, step));
  const state = await action(surroundings);
  transaction.record({ state });
  transaction.emit(jobId, state);
  return { jobId, state };
}

/** Stores a move of the job; from SUBMITTED the table counts as from EVALUATING, which is computed. */
export async function storeState(transaction: Transaction, job: Job, to: Job['state']): Promise<Job> {
  move(jobMachine, job.state === 'SUBMITTED' ? 'EVALUATING' : job.state, to);
  const moved = { ...job, state: to, since: transaction.at };
  await transaction.ledger.put(jobRecords, moved, job.jobId);
  if (isFinal(to)) await transaction.ledger.remove(openJobs, job.jobId);
  transaction.record(moveOf(moved, to));
  transaction.emit(job.jobId, to);
  return moved;
}

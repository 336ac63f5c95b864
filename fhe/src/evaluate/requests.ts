/** What an evaluator and a pool ask their workers for. */
import { type PackedColumn } from '../columns/layout.js';
import { FheError } from '../errors.js';
import { type ParameterSet } from '../params/index.js';
import { type AnalysisPlan } from '../plan/types.js';
import { type Request } from '../worker/protocol.js';
import { type PartRequest } from './evaluator.js';
import { type Work, workOf } from './work.js';
import { type Call } from './workerThread.js';

export function encryption(epochId: string, column: Float64Array | PackedColumn): Request {
  if (column instanceof Float64Array) return { kind: 'encrypt', epochId, parts: [column] };
  const { parts, primes } = column;
  return { kind: 'encrypt', epochId, parts, ...(primes !== undefined && { primes }) };
}

/** @throws FheError PARAMETER_SET_MISMATCH, ARGUMENT_INVALID */
export function workFor(set: ParameterSet, plan: AnalysisPlan, cells: readonly string[]): Work {
  if (plan.parameterSetId !== set.id)
    throw new FheError('PARAMETER_SET_MISMATCH', 'The plan was made for another parameter set.');
  return workOf(plan, cells);
}

/**
 * The blobs that a work needs of one batch.
 * @param number of the batch, counted from 1
 * @throws FheError ARGUMENT_INVALID
 */
export function columnsOf(
  batch: ReadonlyMap<string, Uint8Array>,
  work: Work,
  number: number,
): [string, Uint8Array][] {
  return work.columns.map((name) => {
    const blob = batch.get(name);
    if (!blob) throw new FheError('ARGUMENT_INVALID', `Batch ${number} lacks the column ${name}.`);
    return [name, blob];
  });
}

/**
 * One part of an evaluation, on one worker.
 * @param giveAway whether the worker gets the columns' memory instead of a copy
 */
export async function runPart(
  call: Call,
  work: Work,
  { epochId, cells, batches, running, last }: PartRequest,
  giveAway = false,
): Promise<Map<string, Uint8Array>> {
  const evaluation = 0;
  await call({ kind: 'begin', evaluation, epochId, work });
  if (running) {
    const lacking = cells.find((cell) => !running.has(cell));
    if (lacking !== undefined)
      throw new FheError('ARGUMENT_INVALID', `There is no running sum of the cell ${lacking}.`);
    await call({ kind: 'resume', evaluation, sums: [...running].filter(([cell]) => cells.includes(cell)) });
  }
  let number = 0;
  for await (const batch of batches) {
    number += 1;
    const columns = columnsOf(batch, work, number);
    const given = giveAway ? columns.map(([, blob]) => blob) : [];
    await call({ kind: 'batch', evaluation, columns }, given);
  }
  if (number === 0) throw new FheError('ARGUMENT_INVALID', 'There is no batch to evaluate.');
  const blobs = await call({ kind: last ? 'finish' : 'suspend', evaluation, cells: [...cells] });
  return new Map(work.cells.map((cell, i) => [cell.id, blobs[i] ?? new Uint8Array()]));
}

/** One worker thread for each parameter set and process, made when it is first needed, and the keys that it holds. */
import { Evaluator, FheError, type ParameterSet } from '@strokeshare/fhe';
import { ContractError } from '../errors.js';

const evaluators = new Map<string, Promise<Evaluator>>();
/** Hash of the relinearisation key that an evaluator holds for an epoch. */
const loaded = new Map<string, string>();

/** The process's evaluator; the first call takes about two seconds. */
export function evaluatorFor(set: ParameterSet): Promise<Evaluator> {
  const existing = evaluators.get(set.id);
  if (existing) return existing;
  const made = Evaluator.create(set);
  evaluators.set(set.id, made);
  made.catch(() => evaluators.delete(set.id));
  return made;
}

/**
 * Makes sure that the evaluator holds an epoch's relinearisation key.
 * @param hash what the ledger says of the key
 * @param blob the key, checked against the hash, where the caller sent it
 * @throws ContractError KEY_NEEDED
 */
export async function holdRelinKeys(
  evaluator: Evaluator,
  epochId: string,
  hash: string,
  blob: Uint8Array | undefined,
): Promise<void> {
  if (loaded.get(epochId) === hash) return;
  if (!blob)
    throw new ContractError(
      'KEY_NEEDED',
      `Send the relinearisation key of the epoch ${epochId} once, as "relinKeys".`,
    );
  await evaluator.loadRelinKeys(epochId, blob);
  loaded.set(epochId, hash);
}

/** Heavy transactions at once in one process: more would only make each other run into their time limit. */
export const MAXIMUM_IN_FLIGHT = 2;
let inFlight = 0;

/**
 * Runs a transaction's heavy part, unless the process has as many in hand as it may.
 * @throws ContractError BUSY
 */
export async function whenFree<T>(work: () => Promise<T>): Promise<T> {
  if (inFlight >= MAXIMUM_IN_FLIGHT)
    throw new ContractError('BUSY', `This process has ${inFlight} evaluations in hand; come back.`);
  inFlight += 1;
  try {
    return await work();
  } finally {
    inFlight -= 1;
  }
}

/**
 * Runs a piece of arithmetic; what a blob or key did wrong becomes a contract's error.
 * @throws ContractError KEY_NEEDED, BAD_BLOB, INTERNAL
 */
export async function compute<T>(epochId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof FheError)) throw cause;
    if (cause.code === 'KEY_MISSING') {
      // The evaluator keeps the keys of the latest epochs only.
      loaded.delete(epochId);
      throw new ContractError('KEY_NEEDED', `Send the relinearisation key of the epoch ${epochId} again.`, {
        cause,
      });
    }
    if (cause.code === 'WORKER_FAILED' || cause.code === 'DISPOSED') {
      evaluators.clear();
      loaded.clear();
      throw new ContractError('INTERNAL', `The evaluator failed: ${cause.message}`, { cause });
    }
    throw new ContractError('BAD_BLOB', cause.message, { cause });
  }
}

/** Ends all worker threads: for tests, and processes that end. */
export async function closeEvaluators(): Promise<void> {
  const all = [...evaluators.values()];
  evaluators.clear();
  loaded.clear();
  for (const evaluator of all) await (await evaluator)[Symbol.asyncDispose]();
}

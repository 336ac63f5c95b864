import type { Contract } from '@hyperledger/fabric-gateway';

export type Kind = 'submit' | 'evaluate';

/** One way to load a network. */
export interface Load {
  readonly kind: Kind;
  /** Bytes of the value that is written or read. */
  readonly size: number;
  /** Calls that are open at the same time. */
  readonly inFlight: number;
}

/** Keys that are read again and again; each has a value of the load's size. */
const READ_KEYS = 10;

let writes = 0;

/** Writes what `evaluate` loads of this size read. */
export async function prepare(contract: Contract, size: number): Promise<void> {
  await Promise.all(
    Array.from({ length: READ_KEYS }, (_, index) =>
      contract.submitTransaction('put', `read-${size}-${index}`, value(size)),
    ),
  );
}

/**
 * Keeps a load up: calls are begun for `seconds`, then the open ones are waited for.
 *
 * @returns finished calls per second of the whole time
 */
export async function drive(contract: Contract, load: Load, seconds: number): Promise<number> {
  const { kind, size, inFlight } = load;
  const content = value(size);
  const started = performance.now();
  const end = started + seconds * 1000;
  let finished = 0;
  const caller = async (): Promise<void> => {
    do {
      // Every write has a key of its own: what is measured is the ledger, not conflicts.
      if (kind === 'submit') await contract.submitTransaction('put', `write-${writes++}`, content);
      else await contract.evaluateTransaction('get', `read-${size}-${finished % READ_KEYS}`);
      finished++;
    } while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return finished / ((performance.now() - started) / 1000);
}

function value(size: number): string {
  return 'v'.repeat(size);
}

/** The contracts on a ledger in memory, as one identity reaches them through the client's own interface. */
import { readContractError } from '@strokeshare/chaincode';
import type { Identity } from '../../../chaincode/test/support/identities.js';
import type { MemoryLedger } from '../../../chaincode/test/support/memoryLedger.js';
import { LedgerError, type Ledger, type LedgerCall } from '../../src/connect/index.js';

/** Submissions that come at once are committed one after another. */
const lines = new WeakMap<MemoryLedger, Promise<unknown>>();

export function memoryLedgerOf(ledger: MemoryLedger, identity: Identity): Ledger {
  const simulate = async ({ channel, contract, transaction, argument, transient }: LedgerCall) => {
    ledger.now = Date.now();
    const name = `${contract}:${transaction}`;
    try {
      return await ledger.simulate(
        { name } as never,
        JSON.parse(argument),
        { identity, ...(transient && { transient }) },
        channel === 'consortium' ? undefined : channel,
      );
    } catch (error) {
      const contractCode = readContractError((error as Error).message)?.code;
      throw new LedgerError('CONTRACT_REFUSED', (error as Error).message, {
        stage: 'endorse',
        safeToRetry: false,
        ...(contractCode && { contractCode }),
      });
    }
  };
  return {
    mspId: identity.mspId,
    evaluate: async (call) => JSON.stringify((await simulate(call)).response),
    submit: async (call) => {
      const before = lines.get(ledger) ?? Promise.resolve();
      const submission = before.then(async () => {
        const simulation = await simulate(call);
        ledger.commit(simulation);
        return { result: JSON.stringify(simulation.response), transactionId: '', blockNumber: 1n };
      });
      lines.set(
        ledger,
        submission.catch(() => undefined),
      );
      return submission;
    },
    events: () => {
      throw new Error('a ledger in memory streams no events');
    },
    [Symbol.dispose]: () => undefined,
  };
}

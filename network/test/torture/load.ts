import { type Contract, EndorseError, GatewayError } from '@hyperledger/fabric-gateway';
import { type Random } from './random.js';

/** A transaction of which a client was told that it is in a block, and with which code. */
export interface Announced {
  readonly txId: string;
  readonly block: number;
  readonly code: number;
}

const keys = 30;
const workers = 6;

/**
 * Submits transactions through all peers at once until the network is gone.
 *
 * @param announced gets every transaction whose commit status a client received
 * @throws Error where the network refuses what it should take
 */
export async function submitUntilGone(
  contracts: readonly Contract[],
  random: Random,
  announced: (transaction: Announced) => void,
  gone: () => boolean,
): Promise<void> {
  const work = async (worker: number): Promise<void> => {
    for (let count = 0; !gone(); count++) {
      const contract = contracts[(worker + count) % contracts.length] as Contract;
      const [name, ...args] = chooseTransaction(random, `${worker}.${count}`);
      try {
        const commit = await contract.submitAsync(name, { arguments: args });
        const { blockNumber, code, transactionId } = await commit.getStatus();
        announced({ txId: transactionId, block: Number(blockNumber), code });
      } catch (error) {
        if (!gone() && !isExpected(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
}

function chooseTransaction(random: Random, unique: string): [name: string, ...args: string[]] {
  const key = `key${random.below(keys)}`;
  switch (random.below(8)) {
    case 0:
      return ['put', key, unique.padEnd(30_000, 'x')];
    case 1:
    case 2:
      return ['move', key, `key${random.below(keys)}`];
    case 3:
    case 4:
    case 5:
      return ['append', key, unique];
    default:
      return ['put', key, unique];
  }
}

/** Endorsers that stand at different heights answer differently: the client has to try again. */
function isExpected(error: unknown): boolean {
  return (
    error instanceof EndorseError &&
    error instanceof GatewayError &&
    error.details.some(({ message }) => message === 'ProposalResponsePayloads do not match')
  );
}

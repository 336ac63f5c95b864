import { channel } from 'node:diagnostics_channel';

/*
 * What the network knows about a failed transaction and Fabric's wire does not carry: Fabric's texts stay as they are,
 * and the words for a person go here, from where the log and the command line take them.
 */

interface Explanation {
  readonly txId: string;
  readonly sentence: string;
}

const explanations = channel('strokeshare.network.explanation');

/** Tells whoever listens why a transaction failed. */
export function explain(txId: string, sentence: string): void {
  if (explanations.hasSubscribers) explanations.publish({ txId, sentence } satisfies Explanation);
}

/** Transactions of which the explanations are kept. */
const KEPT = 1000;

/** Keeps the explanations of the last failed transactions; all peers of a network find the same, which is kept once. */
export class Explanations implements Disposable {
  readonly #byTransaction = new Map<string, Set<string>>();

  constructor(private readonly log: (message: string) => void) {
    explanations.subscribe(this.#add);
  }

  /** What is known about a transaction. */
  of(txId: string): string[] {
    return [...(this.#byTransaction.get(txId) ?? [])];
  }

  [Symbol.dispose](): void {
    explanations.unsubscribe(this.#add);
  }

  readonly #add = (message: unknown): void => {
    const { txId, sentence } = message as Explanation;
    const sentences = this.#byTransaction.get(txId) ?? new Set();
    if (sentences.has(sentence)) return;
    this.log(`transaction ${txId}: ${sentence}`);
    sentences.add(sentence);
    this.#byTransaction.set(txId, sentences);
    const oldest = this.#byTransaction.keys().next();
    if (this.#byTransaction.size > KEPT && !oldest.done) this.#byTransaction.delete(oldest.value);
  };
}

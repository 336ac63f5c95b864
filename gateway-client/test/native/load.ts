import { PURPOSE } from '../../src/demo/consortium.js';
import type { ResearcherContext } from '../../src/researcher/index.js';

const DAY_MS = 86_400_000;

/** Transactions one after the other in several lanes, each with an id of its own, until it is stopped. */
export class TransactionLoad {
  /** Ids whose commit was announced. */
  readonly announced: string[] = [];
  readonly failures: unknown[] = [];
  #stopping = false;
  #announce: () => void = () => undefined;
  readonly #lanes: Promise<void>[];

  constructor(
    private readonly researcher: ResearcherContext,
    private readonly datasetId: string,
    name: string,
    lanes = 2,
  ) {
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.run(`${name}-${lane}`));
  }

  /** Resolves when so many more have been announced. */
  async more(count: number): Promise<void> {
    const goal = this.announced.length + count;
    while (this.announced.length < goal && this.failures.length === 0) await this.#step();
  }

  /** Ends it, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#lanes);
  }

  #step(): Promise<void> {
    return new Promise((resolve) => (this.#announce = resolve));
  }

  private async run(lane: string): Promise<void> {
    const { client, signal } = this.researcher;
    for (let number = 0; !this.#stopping; number++) {
      const permissionId = `${lane}-${number}`;
      try {
        await client.permissions.request(
          {
            permissionId,
            datasets: [this.datasetId],
            variables: ['AGE'],
            statistics: ['count'],
            purpose: PURPOSE,
            from: new Date(Date.now() - 60_000).toISOString(),
            until: new Date(Date.now() + DAY_MS).toISOString(),
            minimumCohort: 20,
            releaseBudget: 1,
          },
          { signal },
        );
        this.announced.push(permissionId);
      } catch (error) {
        this.failures.push(error);
        this.#stopping = true;
      }
      this.#announce();
    }
  }
}

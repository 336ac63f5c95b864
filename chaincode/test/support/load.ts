/** Heavy transactions and light ones at the same time, in one contract's process. */
import { type Alliance } from './alliance.js';
import { consortium, type Evaluate, type EvaluateResponse, privateRecords } from '../../src/index.js';

/** What one institution sends for an evaluation. */
export interface Heavy {
  readonly member: number;
  readonly jobId: string;
  readonly cells: readonly string[];
  readonly transient: Record<string, Uint8Array>;
}

export interface Endured {
  /** Hashes by cell, of each institution. */
  readonly partials: Record<string, string>[];
  /** Light calls that began and ended while one and the same evaluation was under way. */
  readonly answered: number;
  /** Evaluations that were told to come back. */
  readonly busy: number;
}

/**
 * Has evaluations run, each coming back when it is told `BUSY`, and makes light calls beside them. Goes on with both
 * until everybody has been served and so many light calls were answered meanwhile: if evaluations held up the
 * process, it would never end.
 */
export async function endure(alliance: Alliance, heavy: readonly Heavy[], pings: number): Promise<Endured> {
  let [underWay, ended, answered, busy, served] = [0, 0, 0, 0, 0];
  const isDone = (): boolean => served >= heavy.length && answered >= pings;
  const simulate = async (member: number, request: Evaluate, transient: Record<string, Uint8Array>) => {
    const { agent: identity, channel } = alliance.member(member);
    const definition = privateRecords.RecordsContract.Evaluate;
    try {
      const { response } = await alliance.ledger.simulate(
        definition,
        request,
        { identity, transient },
        channel,
      );
      return response as EvaluateResponse;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('BUSY')) return 'BUSY' as const;
      throw error;
    }
  };
  const evaluate = async ({ member, jobId, cells, transient }: Heavy): Promise<Record<string, string>> => {
    let partials: Record<string, string> | undefined;
    while (!partials || !isDone()) {
      // Whoever has been served lets the others through, and works on only as long as calls are to be answered.
      if (partials && served < heavy.length) {
        await turn();
        continue;
      }
      const before = ended;
      underWay += 1;
      const answer = await simulate(member, { jobId, cells: [...cells] }, transient).finally(() => {
        underWay -= 1;
      });
      if (answer === 'BUSY') {
        busy += 1;
        while (ended === before) await turn();
        continue;
      }
      ended += 1;
      if (!partials) served += 1;
      ({ partials } = answer);
    }
    return partials;
  };
  const ping = async (): Promise<void> => {
    while (!isDone()) {
      const before = ended;
      const wasUnderWay = underWay > 0;
      await alliance.ask(consortium.InstitutionContract.List, {});
      if (wasUnderWay && ended === before) answered += 1;
      await turn();
    }
  };
  const [partials] = await Promise.all([Promise.all(heavy.map(evaluate)), ping()]);
  return { partials, answered, busy };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

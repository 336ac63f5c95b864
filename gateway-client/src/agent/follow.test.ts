import type { LedgerEvent, LedgerEvents } from '../connect/index.js';
import type { AgentContext } from './context.js';
import { follow, type FollowedStep } from './follow.js';

/** Events that a test sends, and how often each step looked. */
function agent() {
  const ending = new AbortController();
  const looked: string[] = [];
  /** What a step that goes by names was told. */
  const told: unknown[] = [];
  const waiting: ((event: LedgerEvent) => void)[] = [];
  const events: LedgerEvents = async function* (signal) {
    while (!signal.aborted) {
      const next = await new Promise<LedgerEvent | undefined>((resolve) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
      });
      if (next) yield next;
    }
  };
  const send = (name: string, payload = '{}'): void =>
    waiting.shift()?.({ name, payload, transactionId: 't', blockNumber: 1n });
  /** Resolves when a step has looked so often in all. */
  const until = async (length: number): Promise<void> => {
    while (looked.length < length) await new Promise((resolve) => setImmediate(resolve));
  };
  const step = (name: string, contracts?: string[]): FollowedStep => ({
    take: async () => {
      looked.push(name);
      return false;
    },
    ...(contracts && { contracts }),
  });
  const named: FollowedStep = {
    take: async (_, heard) => {
      told.push(heard && Object.fromEntries(heard));
      return false;
    },
    named: 'JobContract',
  };
  const steps = [step('ceremony', ['KeyEpochContract']), step('job'), named];
  const following = follow({ signal: ending.signal } as AgentContext, { events, steps });
  return { looked, told, send, until, end: () => (ending.abort(), following) };
}

test('at first every step looks, then those whose contracts had an event', async () => {
  const { looked, send, until, end } = agent();
  await until(2);
  send('JobContract:Submit');
  await until(3);
  send('KeyEpochContract:Commit');
  await until(5);
  expect(looked).toEqual(['ceremony', 'job', 'job', 'ceremony', 'job']);
  await end();
});

test('every step looks again after a while, although other events keep coming', async () => {
  const { looked, send, until, end } = agent();
  await until(2);
  const now = Date.now();
  jest.spyOn(Date, 'now').mockReturnValue(now + 5_000);
  send('JobContract:Submit');
  await until(4);
  expect(looked).toEqual(['ceremony', 'job', 'ceremony', 'job']);
  jest.restoreAllMocks();
  await end();
});

test('a step that goes by names is told which ones, and to look at everything where others may matter', async () => {
  const { told, send, until, end } = agent();
  await until(2);
  send('JobContract:PostPartials', '{"id":"job-1","state":"EVALUATING"}');
  await until(3);
  send('AgreementContract:Suspend', '{"id":"agreement-1"}');
  await until(4);
  send('JobContract:Submit', 'no event of ours');
  await until(5);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([undefined, { 'job-1': { events: 1, state: 'EVALUATING' } }, undefined, undefined]);
  await end();
});

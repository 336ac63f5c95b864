import { LedgerError } from '../connect/index.js';
import { ClientError } from '../errors.js';
import type { AgentContext, AgentEvent } from './context.js';
import { jobStep } from './jobs.js';

/** An agent whose ledger has two jobs to evaluate; reading what the first rests on fails. */
function agentWith(failure: Error) {
  const asked: string[] = [];
  const events: AgentEvent[] = [];
  const view = (jobId: string) => ({ jobId, state: 'SUBMITTED', participants: ['Hospital1MSP'], posted: [] });
  const jobs = {
    list: async () => ({ items: [view('bad'), view('good')] }),
    get: async ({ jobId }: { jobId: string }) => view(jobId),
    access: async ({ jobId }: { jobId: string }) => {
      asked.push(jobId);
      if (jobId === 'bad') throw failure;
      return { decision: { allowed: false } };
    },
  };
  const context = {
    mspId: 'Hospital1MSP',
    consortium: { jobs },
    replays: new Map(),
    setAside: new Map<string, number>(),
    waiting: new Map<string, number>(),
    report: (event: AgentEvent) => events.push(event),
  } as unknown as AgentContext;
  return { context, asked, events };
}

describe('the jobs of an agent', () => {
  it('go on beside one that cannot be served, which is looked at again later', async () => {
    const { context, asked, events } = agentWith(
      new ClientError('REPLAY_MISMATCH', 'The partial of Hospital2MSP is another blob.'),
    );
    await expect(jobStep(context)).resolves.toBe(false);
    expect(asked).toEqual(['bad', 'good']);
    expect(events).toEqual([
      {
        mspId: 'Hospital1MSP',
        step: 'set aside',
        id: 'bad',
        message: 'The partial of Hospital2MSP is another blob.',
      },
    ]);
    await jobStep(context);
    expect(asked).toEqual(['bad', 'good', 'good']);
    context.setAside.set('bad', Date.now() - 1);
    await jobStep(context);
    expect(asked).toEqual(['bad', 'good', 'good', 'bad', 'good']);
  });

  it('wait where the ledger cannot be reached: that says nothing about a job', async () => {
    const details = { stage: 'evaluate', safeToRetry: true } as const;
    const { context, events } = agentWith(
      new LedgerError('UNAVAILABLE', 'No peer could be reached.', details),
    );
    await expect(jobStep(context)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(events).toEqual([]);
  });
});

import { LedgerError } from '../connect/index.js';
import { ClientError } from '../errors.js';
import type { AgentContext, AgentEvent } from './context.js';
import { jobStep } from './jobs.js';

/** An agent whose ledger has two jobs to evaluate; reading what the first rests on fails. */
function agentWith(failure: Error, participants = ['Hospital0MSP', 'Hospital1MSP']) {
  const asked: string[] = [];
  const events: AgentEvent[] = [];
  const view = (jobId: string) => ({ jobId, state: 'SUBMITTED', participants, posted: [] });
  const jobs = {
    list: async () => ({ items: [view('bad'), view('good')] }),
    get: async ({ jobId }: { jobId: string }) => view(jobId),
    access: async ({ jobId }: { jobId: string }) => {
      asked.push(jobId);
      if (jobId === 'bad') throw failure;
      return { decision: { allowed: false }, job: view(jobId) };
    },
    stop: async () => ({ refusal: { code: 'AGREEMENT_NOT_ACTIVE', reason: 'It is SUSPENDED.' } }),
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

  it('are stopped on the ledger where they are no longer permitted, by the first in line', async () => {
    const { context, events } = agentWith(new ClientError('POLICY_REFUSED', 'No.'), ['Hospital1MSP']);
    await expect(jobStep(context)).resolves.toBe(true);
    expect(events.at(-1)).toEqual({
      mspId: 'Hospital1MSP',
      step: 'stop',
      id: 'good',
      message: 'AGREEMENT_NOT_ACTIVE: It is SUSPENDED.',
    });
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

import { AGGREGATE_TAKEOVER_MS } from '@strokeshare/chaincode';
import { jest } from '@jest/globals';
import { StorageError } from '@strokeshare/storage-node';
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
    listOpen: async () => ({ items: [view('bad'), view('good')] }),
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
    policy: { objectionsTo: () => [] },
    evaluations: new Map(),
    replays: new Map(),
    setAside: new Map(),
    expected: new Map(),
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
    context.setAside.set('bad', { until: Date.now() - 1, rest: 60_000 });
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

  it('go on beside one that the contracts refuse for what somebody else did', async () => {
    const details = { stage: 'endorse', safeToRetry: false, contractCode: 'COUNT_IMPLAUSIBLE' } as const;
    const { context, events } = agentWith(
      new LedgerError('CONTRACT_REFUSED', 'No number of patients.', details),
    );
    await jobStep(context);
    expect(events).toMatchObject([{ step: 'set aside', id: 'bad', message: 'No number of patients.' }]);
  });

  it('look soon again at one whose blob is missing, and then ever later', async () => {
    const start = Date.parse('2026-11-22T12:00:00Z');
    let now = start;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const { context, events } = agentWith(new StorageError('NOT_FOUND', 'There is no such blob.'));
    const looks: number[] = [];
    for (; looks.length < 9; now += 1_000) {
      events.length = 0;
      await jobStep(context);
      if (events.some(({ step }) => step === 'set aside')) looks.push((now - start) / 1_000);
    }
    jest.restoreAllMocks();
    expect(looks).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  });

  it('are looked at by the names that events give, one act at a time', async () => {
    const { context, asked } = agentWith(new ClientError('POLICY_REFUSED', 'No.'), ['Hospital1MSP']);
    const heard = new Map(['good', 'ended', 'bad'].map((id) => [id, { events: 1, state: 'SUBMITTED' }]));
    heard.set('ended', { events: 1, state: 'RELEASED' });
    await expect(jobStep(context, heard)).resolves.toBe(true);
    expect([...heard.keys()]).toEqual(['ended', 'bad']);
    await expect(jobStep(context, heard)).resolves.toBe(false);
    expect(asked).toEqual(['good', 'bad']);
    expect(heard.size).toBe(0);
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

describe('an agent that others keep waiting', () => {
  const NOW = Date.parse('2026-11-22T12:00:00Z');
  let now = NOW;
  beforeEach(() => {
    now = NOW;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
  });
  afterEach(() => jest.restoreAllMocks());
  const at = (ms: number): string => new Date(NOW + ms).toISOString();
  const MINUTE = 60_000;

  /** Hospital2MSP, second in line, and one job as its ledger shows it. */
  function second(job: object) {
    const calls: string[] = [];
    const called = (name: string, answer: object) => async () => {
      calls.push(name);
      return answer;
    };
    const view = {
      jobId: 'job-1',
      participants: ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP'],
      submittedAt: at(0),
      since: at(0),
      round: 0,
      holderMinutes: 30,
      postingDeadline: at(24 * 60 * MINUTE),
      ...job,
    };
    const jobs = {
      listOpen: async () => ({ items: [view] }),
      get: async () => view,
      shares: async () => ({ countShares: { Hospital2MSP: {} }, verdicts: {}, opened: {}, valueShares: {} }),
      access: called('access', { decision: { allowed: false }, job: view }),
      stop: called('stop', {}),
      replaceCommittee: called('replaceCommittee', { state: 'AGGREGATED' }),
    };
    const context = {
      mspId: 'Hospital2MSP',
      consortium: { jobs },
      evaluations: new Map(),
      replays: new Map(),
      setAside: new Map(),
      expected: new Map(),
      waiting: new Map<string, number>(),
      report: () => undefined,
    } as unknown as AgentContext;
    return { context, calls };
  }

  it('adds up itself after the delay that the contract sets, and no sooner', async () => {
    const { context, calls } = second({
      state: 'EVALUATING',
      posted: ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP'],
    });
    expect(await jobStep(context)).toBe(false);
    now = NOW + AGGREGATE_TAKEOVER_MS;
    // In line: the first has one more turn.
    expect(await jobStep(context)).toBe(false);
    expect(calls).toEqual([]);
    now += 15_000;
    await jobStep(context);
    expect(calls[0]).toBe('access');
  });

  it('adds up what was posted, once the posting deadline has passed', async () => {
    const { context, calls } = second({
      state: 'EVALUATING',
      posted: ['Hospital2MSP', 'Hospital3MSP'],
      quorum: 2,
      postingDeadline: at(5 * MINUTE),
    });
    expect(await jobStep(context)).toBe(false);
    expect(calls).toEqual([]);
    now = NOW + 5 * MINUTE;
    await jobStep(context);
    expect(calls[0]).toBe('access');
  });

  it('does not evaluate any more when it was left out', async () => {
    const { context, calls } = second({
      state: 'EVALUATING',
      posted: ['Hospital1MSP'],
      included: ['Hospital1MSP'],
    });
    now = NOW + 25 * 60 * MINUTE;
    expect(await jobStep(context)).toBe(false);
    expect(calls).toEqual([]);
  });

  it('has a silent committee replaced, in its turn', async () => {
    const { context, calls } = second({
      state: 'AGGREGATED',
      posted: [],
      committee: [
        { mspId: 'Hospital1MSP', index: 1 },
        { mspId: 'Hospital2MSP', index: 2 },
      ],
    });
    now = NOW + 30 * MINUTE - 1;
    expect(await jobStep(context)).toBe(false);
    now += 1;
    expect(await jobStep(context)).toBe(false);
    now += 15_000;
    expect(await jobStep(context)).toBe(true);
    expect(calls).toEqual(['replaceCommittee']);
  });
});

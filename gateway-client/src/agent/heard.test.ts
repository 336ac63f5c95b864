import type { AgentContext } from './context.js';
import { isExpected, waitFor } from './heard.js';

const JOB = { jobId: 'job-1', state: 'AGGREGATED' };
const agent = () => ({ expected: new Map() }) as unknown as AgentContext;
const posted = (events = 1) => ({ events, state: 'AGGREGATED' });

describe('an agent that waits for others', () => {
  it('looks again once as many have posted as were missing', () => {
    const context = agent();
    expect(waitFor(context, JOB, 3)).toBe(false);
    expect(isExpected(context, 'job-1', posted())).toBe(false);
    expect(isExpected(context, 'job-1', posted(2))).toBe(true);
  });

  it('looks again as soon as the job has moved on, whoever was missing', () => {
    const context = agent();
    waitFor(context, JOB);
    expect(isExpected(context, 'job-1', posted(100))).toBe(false);
    expect(isExpected(context, 'job-1', { events: 1, state: 'COUNTED' })).toBe(true);
  });

  it('looks at what it does not know, and not at what has ended', () => {
    expect(isExpected(agent(), 'job-2', posted())).toBe(true);
    for (const state of ['RELEASED', 'SUPPRESSED', 'REFUSED', 'CANCELLED'])
      expect(isExpected(agent(), 'job-2', { events: 1, state })).toBe(false);
  });
});

import type { AgreementView } from '@strokeshare/chaincode';
import { boundedPolicy } from './policy.js';

const policy = boundedPolicy({
  minimumOwnCount: 5,
  dominancePercent: 10,
  purposes: ['DUO:0000007'],
  minimumCohort: 20,
  releaseBudget: 100,
  days: 90,
});

function agreement(change: Partial<AgreementView['content']['permission']>): AgreementView {
  const permission = {
    purpose: 'DUO:0000007',
    minimumCohort: 20,
    releaseBudget: 100,
    from: '2026-01-01T00:00:00Z',
    until: '2026-04-01T00:00:00Z',
    ...change,
  };
  return { content: { permission } } as AgreementView;
}

test('signs within all bounds', () => {
  expect(policy.decide(agreement({}))).toEqual({ answer: 'sign' });
});

test.each([
  { purpose: 'DUO:0000042' },
  { minimumCohort: 19 },
  { releaseBudget: 101 },
  { until: '2026-04-01T00:00:01Z' },
])('waits for a person at $purpose$minimumCohort$releaseBudget$until', (change) => {
  expect(policy.decide(agreement(change))).toEqual({ answer: 'wait' });
});

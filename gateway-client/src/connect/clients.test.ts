import { institutionClient, operatorClient, researcherClient } from './clients.js';
import type { Ledger, LedgerCall } from './ledger.js';

/** A ledger that keeps what it was asked and gives one answer. */
function ledgerOf(answer: string): { ledger: Ledger; calls: (LedgerCall & { kind: string })[] } {
  const calls: (LedgerCall & { kind: string })[] = [];
  const ledger: Ledger = {
    mspId: 'Hospital1MSP',
    evaluate: async (call) => {
      calls.push({ ...call, kind: 'evaluate' });
      return answer;
    },
    submit: async (call) => {
      calls.push({ ...call, kind: 'submit' });
      return { result: answer, transactionId: 'id', blockNumber: 1n };
    },
    events: () => async function* none() {},
    [Symbol.dispose]: () => undefined,
  };
  return { ledger, calls };
}

const step = JSON.stringify({ jobId: 'job-1', state: 'EVALUATING' });

test("calls go to the contract's own place, submitted where the contract commits", async () => {
  const { ledger, calls } = ledgerOf(step);
  const client = institutionClient(ledger);
  const request = { jobId: 'job-1', partials: { _row: 'ab'.repeat(32) }, withheld: [] };
  await expect(
    client.jobs.postPartials(request, { endorsingOrganizations: ['Hospital1MSP'] }),
  ).resolves.toEqual(JSON.parse(step));
  expect(calls).toEqual([
    {
      kind: 'submit',
      channel: 'consortium',
      chaincode: 'consortium',
      contract: 'JobContract',
      transaction: 'PostPartials',
      argument: JSON.stringify(request),
      endorsingOrganizations: ['Hospital1MSP'],
    },
  ]);
  const { ledger: other, calls: reads } = ledgerOf('{"items":[]}');
  await institutionClient(other, { channel: 'c2', chaincode: 'cc2' }).epochs.list({});
  expect(reads[0]).toMatchObject({ kind: 'evaluate', channel: 'c2', chaincode: 'cc2' });
});

test('a request that the contract would refuse is refused before it is sent', async () => {
  const { ledger, calls } = ledgerOf(step);
  const request = { jobId: 'job 1', partials: {}, withheld: [] };
  await expect(institutionClient(ledger).jobs.postPartials(request)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('jobId'),
  });
  expect(calls).toEqual([]);
});

test.each([['no JSON'], ['{"jobId":"job-1"}'], ['{"jobId":"job-1","state":"LOST"}']])(
  'an answer that is not as agreed (%s) is refused',
  async (answer) => {
    const { ledger } = ledgerOf(answer);
    const request = { jobId: 'job-1', partials: {}, withheld: [] };
    await expect(institutionClient(ledger).jobs.postPartials(request)).rejects.toMatchObject({
      code: 'ANSWER_INVALID',
    });
  },
);

test('a client has only what its role may do', () => {
  const { ledger } = ledgerOf(step);
  expect(Object.keys(researcherClient(ledger).jobs)).not.toContain('postPartials');
  expect(Object.keys(researcherClient(ledger).agreements)).toEqual(['get', 'version', 'list']);
  expect(Object.keys(operatorClient(ledger).epochs)).toEqual(['get', 'list']);
  expect(Object.keys(institutionClient(ledger).jobs)).not.toContain('submit');
});

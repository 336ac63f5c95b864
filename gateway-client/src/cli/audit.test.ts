import type { AuditEntry } from '@strokeshare/chaincode';
import { auditCommand, lineOf } from './audit.js';

const entry: AuditEntry = {
  entryId: 'a1',
  at: '2026-11-22T12:00:00.000Z',
  transaction: 'JobContract:Submit',
  by: { mspId: 'ResearchMSP', subject: 'CN=alice' },
  kind: 'REFUSAL',
  step: 'submit',
  state: 'REFUSED',
  refusal: {
    step: 'submit',
    rule: 'variables',
    code: 'VARIABLE_NOT_COVERED',
    reason: 'It does not cover DELAY.',
  },
  agreement: { agreementId: 'a', version: 2, digest: 'd'.repeat(64) },
  jobId: 'job-1',
  researcherId: 'ResearchMSP/CN=alice',
  datasets: ['ist-1'],
  institutions: ['Hospital1MSP'],
};

test('a line of the audit trail says when, who, what, under which version, and why not', () => {
  expect(lineOf(entry)).toBe(
    '2026-11-22T12:00:00.000Z  REFUSAL   JobContract:Submit  by ResearchMSP/CN=alice  job job-1  ' +
      'agreement a version 2  REFUSED  VARIABLE_NOT_COVERED: It does not cover DELAY.',
  );
});

test.each([
  [['list', '--profile', 'p.json', '--about', 'patient=1'], 'write one of job, agreement, dataset'],
  [['list', '--profile', 'p.json', '--about', 'job='], 'write one of'],
  [['list'], '--profile'],
  [['replay', 'job-1'], '--agent'],
  [['lineage', 'job-1', '--profile', '/nowhere/p.json'], 'The profile /nowhere/p.json does not exist.'],
])('audit %j is refused with a sentence', async (args, sentence) => {
  const said: string[] = [];
  const quiet = { writeErr: (text: string) => void said.push(text), writeOut: () => undefined };
  const command = auditCommand(new AbortController().signal).exitOverride().configureOutput(quiet);
  for (const sub of command.commands) sub.exitOverride().configureOutput(quiet);
  await command.parseAsync(args, { from: 'user' }).catch((error: Error) => said.push(error.message));
  expect(said.join('\n')).toContain(sentence);
});

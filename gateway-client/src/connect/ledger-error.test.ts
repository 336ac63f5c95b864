import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { GatewayError, StatusCode } from '@hyperledger/fabric-gateway';
import { ClientError } from '../errors.js';
import { flatten, invalidated, LedgerError } from './ledger-error.js';

const CALL = 'JobContract:Submit';

function gatewayError(code: status, message: string, ...details: string[]): GatewayError {
  const cause: ServiceError = Object.assign(new Error(message), {
    code,
    details: message,
    metadata: new Metadata(),
  });
  return new GatewayError({
    code,
    message,
    details: details.map((text) => ({ address: 'peer0:7051', mspId: 'Hospital1MSP', message: text })),
    cause,
  });
}

test("an endorsing peer's detail gives the contract's own sentence and code", () => {
  const error = flatten(
    gatewayError(
      status.ABORTED,
      '10 ABORTED: failed to endorse transaction, see attached details for more info',
      'chaincode response 500, NOT_FOUND: There is no agreement "a".',
    ),
    'endorse',
    CALL,
  );
  expect(error).toBeInstanceOf(LedgerError);
  expect(error).toMatchObject({
    code: 'CONTRACT_REFUSED',
    contractCode: 'NOT_FOUND',
    message: 'There is no agreement "a".',
    details: { safeToRetry: false },
  });
});

test('a busy process has done nothing: the call is repeated', () => {
  const busy = gatewayError(
    status.ABORTED,
    'failed to endorse transaction',
    'chaincode response 500, BUSY: This process has 2 evaluations in hand; come back.',
  );
  expect(flatten(busy, 'endorse', CALL)).toMatchObject({
    contractCode: 'BUSY',
    details: { safeToRetry: true },
  });
});

test('an evaluate says the same in its message', () => {
  const error = flatten(
    gatewayError(
      status.UNKNOWN,
      '2 UNKNOWN: evaluate call to endorser returned error: chaincode response 500, ROLE_REQUIRED: Only a researcher may.',
    ),
    'evaluate',
    CALL,
  );
  expect(error).toMatchObject({ contractCode: 'ROLE_REQUIRED', message: 'Only a researcher may.' });
});

test.each([
  [status.UNAVAILABLE, 'evaluate', 'UNAVAILABLE', true],
  [status.UNAVAILABLE, 'endorse', 'UNAVAILABLE', true],
  // The orderer may have it already.
  [status.UNAVAILABLE, 'submit', 'UNAVAILABLE', false],
  [status.UNAVAILABLE, 'commit', 'UNAVAILABLE', false],
  [status.DEADLINE_EXCEEDED, 'endorse', 'DEADLINE_EXCEEDED', true],
  [status.DEADLINE_EXCEEDED, 'submit', 'DEADLINE_EXCEEDED', false],
  [status.CANCELLED, 'endorse', 'CANCELLED', false],
] as const)('status %i while it is to %s is %s, again: %s', (code, stage, expected, safeToRetry) => {
  expect(flatten(gatewayError(code, 'went wrong'), stage, CALL)).toMatchObject({
    code: expected,
    details: { safeToRetry, stage },
  });
});

test('peers at different heights are asked again', () => {
  const text = 'failed to assemble transaction: ProposalResponsePayloads do not match (base64): a vs b';
  expect(flatten(gatewayError(status.ABORTED, text), 'endorse', CALL)).toMatchObject({
    code: 'ENDORSEMENT_FAILED',
    details: { safeToRetry: true },
  });
  expect(flatten(gatewayError(status.ABORTED, 'access denied'), 'endorse', CALL)).toMatchObject({
    message: 'JobContract:Submit failed (endorse): access denied',
    details: { safeToRetry: false },
  });
});

test('a missing chaincode is named as the likely cause', () => {
  const text =
    '9 FAILED_PRECONDITION: no combination of peers can be derived which satisfy the endorsement policy';
  expect(flatten(gatewayError(status.FAILED_PRECONDITION, text), 'endorse', CALL)).toMatchObject({
    code: 'CHAINCODE_MISSING',
    // A peer that has just started does not know the others yet.
    details: { safeToRetry: true, patienceMs: 10_000, peerLost: true },
  });
});

test.each([
  [status.ABORTED, 'failed to execute transaction abc: chaincode stream terminated'],
  [status.ABORTED, 'rpc error: code = Unavailable desc = connection error: desc = "connection refused"'],
  [status.UNKNOWN, 'failed to execute transaction abc: could not launch chaincode consortium_0.1.0:00'],
])('a lost process (%i, %s) is asked for again, elsewhere where there is another', (code, text) => {
  expect(flatten(gatewayError(code, 'see details', text), 'endorse', CALL)).toMatchObject({
    code: 'CHAINCODE_UNREACHABLE',
    details: { safeToRetry: true, peerLost: true },
  });
});

test.each([
  [StatusCode.MVCC_READ_CONFLICT, true],
  [StatusCode.PHANTOM_READ_CONFLICT, true],
  [StatusCode.ENDORSEMENT_POLICY_FAILURE, false],
  [StatusCode.DUPLICATE_TXID, false],
])('an invalid transaction (code %i) is tried again: %s', (code, safeToRetry) => {
  const error = invalidated({ code, transactionId: 'abc' }, CALL);
  expect(error.details.safeToRetry).toBe(safeToRetry);
  expect(error.message).toContain('abc');
});

test('own errors pass unchanged and foreign ones get a sentence', () => {
  const own = new ClientError('CANCELLED', 'Stop.');
  expect(flatten(own, 'evaluate', CALL)).toBe(own);
  expect(flatten(new TypeError('no such thing'), 'evaluate', CALL)).toMatchObject({ code: 'ANSWER_INVALID' });
});

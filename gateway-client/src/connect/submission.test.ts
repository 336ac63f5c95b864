import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import {
  GatewayError,
  StatusCode,
  type Gateway,
  type Status,
  type Transaction,
} from '@hyperledger/fabric-gateway';
import { gateway as messages } from '@hyperledger/fabric-protos';
import { GatewayPeers, type GatewayPeer } from './peers.js';
import { submitToEnd } from './submission.js';

const CHANNEL = 'consortium';
const TRANSACTION_ID = 'ab'.repeat(32);
const SIGNED = new Uint8Array([7, 7, 7]);

/** What reached which peer, in order. */
type Trace = string[];

function failure(code: status): GatewayError {
  const cause: ServiceError = Object.assign(new Error('gone'), {
    code,
    details: 'gone',
    metadata: new Metadata(),
  });
  return new GatewayError({ code, message: 'gone', details: [], cause });
}

/** A transaction whose bytes hold a signature once it was sent. */
function transactionOf(submit: () => Promise<void>): Transaction {
  return {
    getTransactionId: () => TRANSACTION_ID,
    getResult: () => new Uint8Array(),
    getBytes: () => SIGNED,
    getDigest: () => new Uint8Array(),
    submit: async () => {
      await submit();
      return undefined as never;
    },
  };
}

/** A peer that answers from two scripts: how it takes transactions, and how it tells what became of them. */
function scripted(
  endpoint: string,
  trace: Trace,
  {
    submits,
    statuses,
  }: { submits: (status | 'taken')[]; statuses: { error?: status; code?: Status['code'] }[] },
): GatewayPeer & { submit: () => Promise<void> } {
  const submit = async (what: string): Promise<void> => {
    trace.push(`${endpoint} ${what}`);
    const answer = submits.shift() ?? status.UNAVAILABLE;
    if (answer !== 'taken') throw failure(answer);
  };
  const gateway: Pick<Gateway, 'getIdentity' | 'newTransaction' | 'newCommit'> = {
    getIdentity: () => ({ mspId: 'Hospital1MSP', credentials: new Uint8Array([1]) }),
    newTransaction: (bytes) => transactionOf(() => submit(`copy ${Buffer.from(bytes).toString('hex')}`)),
    newCommit: (bytes) => ({
      getTransactionId: () => TRANSACTION_ID,
      getBytes: () => bytes,
      getDigest: () => bytes,
      getStatus: async () => {
        const asked = messages.CommitStatusRequest.deserializeBinary(
          messages.SignedCommitStatusRequest.deserializeBinary(bytes).getRequest_asU8(),
        );
        expect([asked.getChannelId(), asked.getTransactionId()]).toEqual([CHANNEL, TRANSACTION_ID]);
        trace.push(`${endpoint} status`);
        const { error, code } = statuses.shift() ?? { error: status.UNAVAILABLE };
        if (error !== undefined || code === undefined) throw failure(error ?? status.UNAVAILABLE);
        return {
          code,
          successful: code === StatusCode.VALID,
          transactionId: TRANSACTION_ID,
          blockNumber: 5n,
        };
      },
    }),
  };
  return {
    endpoint,
    gateway: gateway as Gateway,
    close: () => undefined,
    submit: () => submit('first'),
  };
}

function run(peers: readonly ReturnType<typeof scripted>[], totalMs = 30_000, signal?: AbortSignal) {
  return submitToEnd({
    peers: new GatewayPeers(peers),
    channel: CHANNEL,
    call: 'JobContract:Submit',
    transaction: transactionOf(() => peers[0]!.submit()),
    options: () => ({}),
    totalMs,
    signal,
  });
}

test('a peer that dies while it takes a transaction: the next one is asked for its status first', async () => {
  const trace: Trace = [];
  const lost = scripted('a', trace, { submits: [status.UNAVAILABLE], statuses: [] });
  const other = scripted('b', trace, { submits: [], statuses: [{ code: StatusCode.VALID }] });
  await expect(run([lost, other])).resolves.toMatchObject({ successful: true, blockNumber: 5n });
  expect(trace).toEqual(['a first', 'b status']);
});

test('an orderer that took a transaction along: the very same envelope is sent again', async () => {
  const trace: Trace = [];
  const peer = scripted('a', trace, {
    submits: ['taken', 'taken'],
    statuses: [{ error: status.DEADLINE_EXCEEDED }, { code: StatusCode.VALID }],
  });
  await expect(run([peer])).resolves.toMatchObject({ successful: true });
  expect(trace).toEqual(['a first', 'a status', 'a copy 070707', 'a status']);
});

test('a refusal of the first envelope is final, that of a copy is not', async () => {
  const trace: Trace = [];
  const refusing = scripted('a', trace, { submits: [status.ABORTED], statuses: [] });
  await expect(run([refusing])).rejects.toMatchObject({ details: { stage: 'submit', safeToRetry: false } });
  expect(trace).toEqual(['a first']);
  const late = scripted('b', trace, {
    submits: ['taken', status.ABORTED],
    statuses: [{ error: status.DEADLINE_EXCEEDED }, { code: StatusCode.VALID }],
  });
  await expect(run([late])).resolves.toMatchObject({ successful: true });
});

test("a block's word on a second copy is not that on the transaction", async () => {
  const peer = scripted('a', [], {
    submits: ['taken'],
    statuses: [{ code: StatusCode.DUPLICATE_TXID }, { code: StatusCode.VALID }],
  });
  await expect(run([peer])).resolves.toMatchObject({ successful: true });
});

test('an invalid transaction is told as what it is', async () => {
  const peer = scripted('a', [], {
    submits: ['taken'],
    statuses: [{ code: StatusCode.MVCC_READ_CONFLICT }],
  });
  await expect(run([peer])).resolves.toMatchObject({
    successful: false,
    code: StatusCode.MVCC_READ_CONFLICT,
  });
});

test('when nobody tells, the error says that it may have happened, and which transaction', async () => {
  const peer = scripted('a', [], { submits: ['taken'], statuses: [] });
  await expect(run([peer], 300)).rejects.toMatchObject({
    code: 'COMMIT_UNKNOWN',
    message: expect.stringContaining(TRANSACTION_ID),
    details: { safeToRetry: false },
  });
});

test('what was cancelled, or whose time was over, before it was sent is never sent', async () => {
  const trace: Trace = [];
  const peer = scripted('a', trace, { submits: ['taken'], statuses: [{ code: StatusCode.VALID }] });
  await expect(run([peer], 30_000, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(run([peer], 0)).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: expect.stringContaining('nothing was written'),
  });
  expect(trace).toEqual([]);
});

test('the first peer serves again after a while, and each channel by itself', () => {
  let now = 0;
  const [a, b] = ['a', 'b'].map((name) => scripted(name, [], { submits: [], statuses: [] }));
  const peers = new GatewayPeers([a!, b!], () => now);
  peers.avoid(CHANNEL, a!);
  expect(peers.choose(CHANNEL).endpoint).toBe('b');
  expect(peers.choose('hospital1-records').endpoint).toBe('a');
  now = 5_000;
  peers.avoid(CHANNEL, b!);
  // Both are avoided: the one that was lost longer ago is tried first.
  expect(peers.choose(CHANNEL).endpoint).toBe('a');
  now = 60_000;
  expect(peers.choose(CHANNEL).endpoint).toBe('a');
});

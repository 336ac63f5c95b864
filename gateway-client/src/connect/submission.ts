import { status, type CallOptions } from '@grpc/grpc-js';
import {
  GatewayError,
  StatusCode,
  type Gateway,
  type Status,
  type Transaction,
} from '@hyperledger/fabric-gateway';
import { gateway as messages, msp } from '@hyperledger/fabric-protos';
import { flatten, LedgerError } from './ledger-error.js';
import type { GatewayPeers } from './peers.js';
import { pauseFor, throwIfCancelled } from './retry.js';

/** An orderer that took a transaction and then died may have taken it along: it is sent again after so long. */
const FIRST_PATIENCE_MS = 10_000;
const SUBMIT_MS = 10_000;
/** A peer that has just started may still be catching up. */
const DUPLICATE_LOOKS = 3;

/** What an orderer or a gateway answers to a transaction that will not be ordered. */
const REFUSED = new Set<number>([
  status.ABORTED,
  status.INVALID_ARGUMENT,
  status.FAILED_PRECONDITION,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
]);

/** An endorsed transaction on its way into a block. */
export interface Submission {
  peers: GatewayPeers;
  channel: string;
  /** `Contract:Transaction`, for sentences. */
  call: string;
  transaction: Transaction;
  /** Options of one call on the wire that may take so many milliseconds. */
  options: (limitMs: number) => CallOptions;
  /** Milliseconds until it is given up. */
  totalMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Submits an endorsed transaction and waits until a peer tells how it was committed. Where an answer stays out, the
 * status is asked for first, and only then the very same signed envelope is sent again, through another peer where
 * there is one: the ledger takes a transaction id once, so the transaction cannot happen twice.
 *
 * @throws LedgerError of the orderer's refusal; `DEADLINE_EXCEEDED` where nothing was sent in time; `COMMIT_UNKNOWN` when the time is over and no peer has told.
 */
export async function submitToEnd(submission: Submission): Promise<Status> {
  const { peers, channel, transaction, call, totalMs, signal } = submission;
  const end = Date.now() + totalMs;
  let envelope: Uint8Array | undefined;
  let patience = FIRST_PATIENCE_MS;
  let last: unknown;
  while (Date.now() < end) {
    throwIfCancelled(signal);
    const peer = peers.choose(channel);
    try {
      const copy = envelope ? peer.gateway.newTransaction(envelope) : transaction;
      await copy.submit(submission.options(Math.min(SUBMIT_MS, end - Date.now())));
    } catch (error) {
      throwIfCancelled(signal);
      last = error;
      // A copy may be refused because the first one arrived.
      if (!envelope && isRefusal(error)) throw flatten(error, 'submit', call);
      peers.avoid(channel, peer);
    }
    // From here on the bytes hold the signature: every further envelope is this one.
    envelope ??= transaction.getBytes();
    const found = await statusWithin(submission, Math.min(patience, end - Date.now()));
    if (found) return found;
    patience *= 2;
  }
  if (!envelope)
    throw new LedgerError(
      'DEADLINE_EXCEEDED',
      `${call} was endorsed, but its time was over before it was sent; nothing was written.`,
      { stage: 'submit', safeToRetry: false },
    );
  throw new LedgerError(
    'COMMIT_UNKNOWN',
    `${call} was sent, but no peer told within ${Math.round(totalMs / 1000)} s whether it was committed (transaction ${transaction.getTransactionId()}); look for its result before you repeat it.`,
    { stage: 'commit', safeToRetry: false },
    { cause: last },
  );
}

/** Asks the peers in turn how a transaction was committed; undefined when none has told in time. */
async function statusWithin(submission: Submission, limitMs: number): Promise<Status | undefined> {
  const { peers, channel, transaction, signal } = submission;
  const end = Date.now() + limitMs;
  let duplicates = 0;
  for (let wait = 100; Date.now() < end; wait = Math.min(2 * wait, 1_000)) {
    throwIfCancelled(signal);
    const peer = peers.choose(channel);
    try {
      const commit = peer.gateway.newCommit(commitRequest(peer.gateway, channel, transaction));
      const found = await commit.getStatus(submission.options(end - Date.now()));
      // What a block announces of a second copy; the ledger, asked again, tells of the first.
      if (found.code !== StatusCode.DUPLICATE_TXID || ++duplicates > DUPLICATE_LOOKS) return found;
    } catch (error) {
      throwIfCancelled(signal);
      peers.avoid(channel, peer);
      if (error instanceof GatewayError && error.code === Number(status.DEADLINE_EXCEEDED)) break;
    }
    await pauseFor(Math.min(wait, end - Date.now()), signal);
  }
  return undefined;
}

/** The request as the library makes it, for a transaction whose submission was not answered. */
function commitRequest(gateway: Gateway, channel: string, transaction: Transaction): Uint8Array {
  const { mspId, credentials } = gateway.getIdentity();
  const creator = new msp.SerializedIdentity();
  creator.setMspid(mspId);
  creator.setIdBytes(credentials);
  const request = new messages.CommitStatusRequest();
  request.setChannelId(channel);
  request.setTransactionId(transaction.getTransactionId());
  request.setIdentity(creator.serializeBinary());
  const signed = new messages.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  return signed.serializeBinary();
}

function isRefusal(error: unknown): boolean {
  return error instanceof GatewayError && REFUSED.has(error.code);
}

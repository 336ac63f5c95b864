import { type peer } from '@hyperledger/fabric-protos';
import { type Proposal, unpackProposal } from '../endorser/proposal.js';
import { errorMessage } from '../protos/bytes.js';
import { rpc } from './rpc-error.js';

/** @throws RpcError INVALID_ARGUMENT, its text beginning with the prefix */
export function readProposal(signed: peer.SignedProposal | undefined, prefix: string): Proposal {
  if (!signed || signed.getProposalBytes_asU8().length === 0) {
    throw rpc.invalidArgument(`${prefix}a signed proposal is required`);
  }
  try {
    return unpackProposal(signed);
  } catch (error) {
    throw rpc.invalidArgument(`${prefix}${errorMessage(error)}`);
  }
}

/** Waits for the result, but not longer than the signal lets. @throws RpcError DEADLINE_EXCEEDED */
export async function within<T>(work: Promise<T>, signal: AbortSignal, timeoutText: string): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(rpc.deadlineExceeded(timeoutText));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** @throws RpcError INVALID_ARGUMENT where the bytes cannot be read */
export function parse<T>(read: () => T, problem: string): T {
  try {
    return read();
  } catch (error) {
    throw rpc.invalidArgument(`${problem}: ${errorMessage(error)}`);
  }
}

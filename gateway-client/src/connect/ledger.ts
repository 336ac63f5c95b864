import { InterceptingCall, status, type CallOptions, type Interceptor } from '@grpc/grpc-js';
import type { Gateway, Proposal } from '@hyperledger/fabric-gateway';
import { eventsOf, type EventOptions, type LedgerEvents } from './events.js';
import { flatten, invalidated, LedgerError, type Stage } from './ledger-error.js';
import { openPeers, type GatewayPeer, type GatewayPeers } from './peers.js';
import type { ConnectionProfile } from './profile.js';
import { throwIfCancelled, withRetries } from './retry.js';
import type { DigestSigner } from './signer.js';
import { submitToEnd } from './submission.js';

const TOTAL_MS = 120_000;
/** Fabric's defaults are 5 and 15 s; endorsing may evaluate ciphertexts, so it gets as long as a peer gives. */
const STAGE_MS = { evaluate: 30_000, endorse: 60_000 };

/** One call of a contract's transaction. */
export interface LedgerCall {
  channel: string;
  chaincode: string;
  contract: string;
  transaction: string;
  /** The only argument: JSON. Empty where there is none: Fabric's own transactions. */
  argument: string;
  /** Bytes that contracts see and no block holds. */
  transient?: Record<string, Uint8Array>;
  /** Organisations whose peers endorse; heavy calls name them, or the gateway repeats the work elsewhere. */
  endorsingOrganizations?: string[];
}

/** Options of every call. */
export interface CallControl {
  signal?: AbortSignal;
  /** Milliseconds for all attempts together. */
  totalMs?: number;
}

/** What a submitted transaction returned, after it was committed. */
export interface Committed {
  result: string;
  transactionId: string;
  blockNumber: bigint;
}

/** A ledger as one identity sees it, through a peer's gateway or that of an alternative. */
export interface Ledger extends Disposable {
  readonly mspId: string;
  /** Asks one peer; nothing is written. Asks others, and again, while a peer or its chaincode cannot be reached. */
  evaluate(call: LedgerCall, control?: CallControl): Promise<string>;
  /**
   * Endorses, orders and waits for the commit. Endorsed anew only where nothing can have been written; after that the
   * same transaction is seen to its end, whichever peer or orderer is lost.
   */
  submit(call: LedgerCall, control?: CallControl): Promise<Committed>;
  /** The events of a chaincode; each call of what it returns begins where the options say. */
  events(channel: string, chaincode: string, options?: EventOptions): LedgerEvents;
}

/**
 * Connects over TLS. Nothing is shared between two connections; dispose of the connection to close it.
 *
 * @param sign - signs in the place of the profile's key file.
 * @throws ClientError `PROFILE_INVALID`.
 */
export async function connectLedger(profile: ConnectionProfile, sign?: DigestSigner): Promise<Ledger> {
  return new GatewayLedger(profile.mspId, await openPeers(profile, sign));
}

/** A ledger through the gateways of some peers; a call goes on at the next one where a peer is lost. */
export class GatewayLedger implements Ledger {
  constructor(
    readonly mspId: string,
    private readonly peers: GatewayPeers,
  ) {}

  evaluate(call: LedgerCall, control: CallControl = {}): Promise<string> {
    return this.attempt(call, control, async ({ gateway }, remainingMs) => {
      const limit = Math.min(STAGE_MS.evaluate, remainingMs);
      return text(
        await staged('evaluate', call, control, () =>
          propose(gateway, call).evaluate(callOptions(limit, control)),
        ),
      );
    });
  }

  submit(call: LedgerCall, control: CallControl = {}): Promise<Committed> {
    return this.attempt(call, control, async ({ gateway }, remainingMs) => {
      const started = Date.now();
      const limit = Math.min(STAGE_MS.endorse, remainingMs);
      const transaction = await staged('endorse', call, control, () =>
        propose(gateway, call).endorse(callOptions(limit, control)),
      );
      const outcome = await submitToEnd({
        peers: this.peers,
        channel: call.channel,
        call: nameOf(call),
        transaction,
        options: (limitMs) => callOptions(limitMs, control),
        totalMs: remainingMs - (Date.now() - started),
        signal: control.signal,
      });
      const { successful, transactionId, blockNumber } = outcome;
      if (!successful) throw invalidated(outcome, nameOf(call));
      return { result: text(transaction.getResult()), transactionId, blockNumber };
    });
  }

  events(channel: string, chaincode: string, options: EventOptions = {}): LedgerEvents {
    return (signal, onBegin) => eventsOf(this.peers, { channel, chaincode, ...options }, signal, onBegin);
  }

  [Symbol.dispose](): void {
    this.peers[Symbol.dispose]();
  }

  private attempt<T>(
    { channel }: LedgerCall,
    { signal, totalMs = TOTAL_MS }: CallControl,
    work: (peer: GatewayPeer, remainingMs: number) => Promise<T>,
  ): Promise<T> {
    const once = async (remainingMs: number): Promise<T> => {
      const peer = this.peers.choose(channel);
      try {
        return await work(peer, remainingMs);
      } catch (error) {
        if (error instanceof LedgerError && error.details.peerLost) this.peers.avoid(channel, peer);
        throw error;
      }
    };
    return withRetries(once, { totalMs, ...(signal && { signal }) });
  }
}

function propose(gateway: Gateway, call: LedgerCall): Proposal {
  return gateway
    .getNetwork(call.channel)
    .getContract(call.chaincode, call.contract)
    .newProposal(call.transaction, {
      arguments: call.argument === '' ? [] : [call.argument],
      ...(call.transient && { transientData: call.transient }),
      ...(call.endorsingOrganizations && { endorsingOrganizations: call.endorsingOrganizations }),
    });
}

function callOptions(limitMs: number, { signal }: CallControl): CallOptions {
  return {
    deadline: Date.now() + limitMs,
    ...(signal && { interceptors: [cancelledBy(signal)] }),
  };
}

function nameOf({ contract, transaction }: LedgerCall): string {
  return `${contract}:${transaction}`;
}

async function staged<T>(
  stage: Stage,
  call: LedgerCall,
  { signal }: CallControl,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throwIfCancelled(signal);
    throw flatten(error, stage, nameOf(call));
  }
}

/** Ends the call on the wire as soon as the signal is aborted. */
function cancelledBy(signal: AbortSignal): Interceptor {
  return (options, nextCall) => {
    const call = new InterceptingCall(nextCall(options));
    const cancel = (): void => call.cancelWithStatus(status.CANCELLED, 'cancelled by the caller');
    signal.addEventListener('abort', cancel, { once: true });
    return new InterceptingCall(call, {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveStatus(received, forward) {
            signal.removeEventListener('abort', cancel);
            forward(received);
          },
        });
      },
    });
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

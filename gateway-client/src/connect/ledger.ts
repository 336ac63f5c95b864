import { createPrivateKey } from 'node:crypto';
import {
  Client,
  InterceptingCall,
  credentials,
  status,
  type CallOptions,
  type Interceptor,
} from '@grpc/grpc-js';
import { connect as connectGateway, signers, type Gateway } from '@hyperledger/fabric-gateway';
import { ClientError } from '../errors.js';
import { eventsOf, type LedgerEvents } from './events.js';
import { flatten, invalidated, type Stage } from './ledger-error.js';
import { readProfileFiles, type ConnectionProfile } from './profile.js';
import { throwIfCancelled, withRetries } from './retry.js';

/** Fabric's own limit for one message; a transaction carries ciphertexts as transient data. */
const MESSAGE_LIMIT = 100 * 1024 * 1024;
const TOTAL_MS = 120_000;
/** Fabric's defaults are 5, 15, 5 and 60 s; endorsing may evaluate ciphertexts, so it gets as long as a peer gives. */
const STAGE_MS: Record<Stage, number> = { evaluate: 30_000, endorse: 60_000, submit: 10_000, commit: 60_000 };

/** One call of a contract's transaction. */
export interface LedgerCall {
  channel: string;
  chaincode: string;
  contract: string;
  transaction: string;
  /** The only argument: JSON. */
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

/** A ledger as one identity sees it, through one peer's gateway. */
export interface Ledger extends Disposable {
  readonly mspId: string;
  /** Asks one peer; nothing is written. Retried while no peer can be reached. */
  evaluate(call: LedgerCall, control?: CallControl): Promise<string>;
  /** Endorses, orders and waits for the commit. Retried only where nothing can have been written. */
  submit(call: LedgerCall, control?: CallControl): Promise<Committed>;
  /**
   * The events of a chaincode.
   *
   * @param from - first block; 0 by default.
   */
  events(channel: string, chaincode: string, from?: bigint): LedgerEvents;
}

/**
 * Connects over TLS. Nothing is shared between two connections; dispose of the connection to close it.
 *
 * @throws ClientError `PROFILE_INVALID`.
 */
export async function connectLedger(profile: ConnectionProfile): Promise<Ledger> {
  const files = await readProfileFiles(profile);
  const client = new Client(profile.peerEndpoint, credentials.createSsl(files.tlsCaCert), {
    'grpc.ssl_target_name_override': profile.peerHostAlias,
    'grpc.default_authority': profile.peerHostAlias,
    'grpc.max_receive_message_length': MESSAGE_LIMIT,
    'grpc.max_send_message_length': MESSAGE_LIMIT,
  });
  let gateway: Gateway;
  try {
    gateway = connectGateway({
      client,
      identity: { mspId: profile.mspId, credentials: files.certificate },
      signer: signers.newPrivateKeySigner(createPrivateKey(files.privateKey)),
    });
  } catch (cause) {
    client.close();
    throw new ClientError('PROFILE_INVALID', `The private key ${profile.keyPath} cannot be used.`, { cause });
  }
  return new GatewayLedger(profile.mspId, client, gateway);
}

class GatewayLedger implements Ledger {
  constructor(
    readonly mspId: string,
    private readonly client: Client,
    private readonly gateway: Gateway,
  ) {}

  evaluate(call: LedgerCall, control: CallControl = {}): Promise<string> {
    return this.attempt(control, async (options) => {
      const answer = await staged('evaluate', call, control, () =>
        this.propose(call).evaluate(options('evaluate')),
      );
      return text(answer);
    });
  }

  submit(call: LedgerCall, control: CallControl = {}): Promise<Committed> {
    return this.attempt(control, async (options) => {
      const transaction = await staged('endorse', call, control, () =>
        this.propose(call).endorse(options('endorse')),
      );
      const submitted = await staged('submit', call, control, () => transaction.submit(options('submit')));
      const outcome = await staged('commit', call, control, () => submitted.getStatus(options('commit')));
      const { successful, transactionId, blockNumber } = outcome;
      if (!successful) throw invalidated(outcome, `${call.contract}:${call.transaction}`);
      return { result: text(submitted.getResult()), transactionId, blockNumber };
    });
  }

  events(channel: string, chaincode: string, from = 0n): LedgerEvents {
    const network = this.gateway.getNetwork(channel);
    return (signal) => eventsOf(network, chaincode, from, signal);
  }

  [Symbol.dispose](): void {
    this.gateway.close();
    this.client.close();
  }

  private attempt<T>(
    { signal, totalMs = TOTAL_MS }: CallControl,
    work: (options: (stage: Stage) => CallOptions) => Promise<T>,
  ): Promise<T> {
    return withRetries(
      (remainingMs) =>
        work((stage) => ({
          deadline: Date.now() + Math.min(STAGE_MS[stage], remainingMs),
          ...(signal && { interceptors: [cancelledBy(signal)] }),
        })),
      { totalMs, ...(signal && { signal }) },
    );
  }

  private propose(call: LedgerCall) {
    return this.gateway
      .getNetwork(call.channel)
      .getContract(call.chaincode, call.contract)
      .newProposal(call.transaction, {
        arguments: [call.argument],
        ...(call.transient && { transientData: call.transient }),
        ...(call.endorsingOrganizations && { endorsingOrganizations: call.endorsingOrganizations }),
      });
  }
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
    throw flatten(error, stage, `${call.contract}:${call.transaction}`);
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

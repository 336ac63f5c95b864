import { peer } from '@hyperledger/fabric-protos';
import { decodeSequence, lifecycleNamespace, sequenceKey } from '../ledger/lifecycle-state.js';
import { type PeerLedger } from '../ledger/peer-ledger.js';
import { errorMessage } from '../protos/bytes.js';
import { ChaincodeConnection } from './connection.js';
import { type TransactionContext, type TransactionParameters } from './context.js';

const Type = peer.ChaincodeMessage.Type;

/** How long a call waits for a chaincode process that is not connected. */
const launchTimeoutMs = 3000;

export interface ChaincodeSupportOptions {
  readonly executeTimeoutMs: number;
  readonly log: (message: string) => void;
  /** The peer's ledger of a channel; undefined where it is not a member. */
  readonly ledger: (channel: string) => PeerLedger | undefined;
  /** Null if the proposal's creator may call chaincodes of the channel, otherwise why not. */
  readonly checkCall: (channel: string, proposal: peer.SignedProposal) => string | null;
}

export interface ChaincodeResult {
  readonly response: peer.Response;
  readonly event: peer.ChaincodeEvent | undefined;
}

/** The chaincodes of one peer: which process runs which definition, and calls into them. */
export class ChaincodeSupport {
  readonly #connections = new Map<string, ChaincodeConnection>();
  /** Package by channel, name and sequence: what the organisation approved. */
  readonly #approved = new Map<string, string>();

  constructor(private readonly options: ChaincodeSupportOptions) {}

  /** Connects to a chaincode process; a second call with the same address keeps the connection. */
  connect(packageId: string, address: string): ChaincodeConnection {
    const known = this.#connections.get(packageId);
    if (known?.options.address === address) return known;
    known?.close();
    const { executeTimeoutMs, log } = this.options;
    const connection = new ChaincodeConnection({
      address,
      packageId,
      executeTimeoutMs,
      log,
      invoke: (context, name, input) => this.#invokeFromChaincode(context, name, input),
    });
    this.#connections.set(packageId, connection);
    return connection;
  }

  /** Says which package runs a definition on this peer. */
  approve(channel: string, name: string, sequence: number, packageId: string): void {
    this.#approved.set(approvalKey(channel, name, sequence), packageId);
  }

  /** The package that was approved for a definition, if any. */
  approved(channel: string, name: string, sequence: number): string | undefined {
    return this.#approved.get(approvalKey(channel, name, sequence));
  }

  /** Takes an approval back to what was approved before, and closes connections that nobody uses now. */
  withdraw(channel: string, name: string, sequence: number, before: string | undefined): void {
    const key = approvalKey(channel, name, sequence);
    if (before === undefined) this.#approved.delete(key);
    else this.#approved.set(key, before);
    this.#closeUnused();
  }

  /** The connection of a definition; undefined where the organisation has no process for it. */
  connection(channel: string, name: string, sequence: number): ChaincodeConnection | undefined {
    const packageId = this.#approved.get(approvalKey(channel, name, sequence));
    return packageId === undefined ? undefined : this.#connections.get(packageId);
  }

  /** Forgets the definitions before this one and closes the connections that only they used. */
  retireBefore(channel: string, name: string, sequence: number): void {
    for (let old = sequence - 1; old > 0; old--) this.#approved.delete(approvalKey(channel, name, old));
    this.#closeUnused();
  }

  /**
   * Runs a chaincode and takes its answer apart.
   *
   * @throws Error with Fabric's text where there is no answer of the chaincode itself
   */
  async execute(
    parameters: TransactionParameters,
    name: string,
    input: peer.ChaincodeInput,
  ): Promise<ChaincodeResult> {
    let message: peer.ChaincodeMessage;
    try {
      message = await this.#invoke(parameters, name, input);
    } catch (error) {
      throw new Error(`failed to execute transaction ${parameters.txId}: ${errorMessage(error)}`, {
        cause: error,
      });
    }
    const event = message.getChaincodeEvent();
    event?.setChaincodeId(name);
    event?.setTxId(parameters.txId);
    if (message.getType() === Type.ERROR) {
      throw new Error(
        `transaction returned with failure: ${Buffer.from(message.getPayload_asU8()).toString()}`,
      );
    }
    return { response: peer.Response.deserializeBinary(message.getPayload_asU8()), event };
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #closeUnused(): void {
    const used = new Set(this.#approved.values());
    for (const [packageId, connection] of this.#connections) {
      if (used.has(packageId)) continue;
      connection.close();
      this.#connections.delete(packageId);
    }
  }

  async #invoke(
    parameters: TransactionParameters,
    name: string,
    input: peer.ChaincodeInput,
  ): Promise<peer.ChaincodeMessage> {
    const { channel, simulator } = parameters;
    const invalid = (reason: string): Error =>
      new Error(
        `invalid invocation: [channel ${channel}] failed to get chaincode container info for ${name}: ${reason}`,
      );
    const current = simulator.getState(lifecycleNamespace, sequenceKey(name));
    if (!current) throw invalid(`chaincode ${name} not found`);
    if (input.getIsInit()) {
      throw new Error(
        `invalid invocation: chaincode '${name}' does not require initialization but called as init`,
      );
    }
    const connection = this.connection(channel, name, decodeSequence(current));
    if (!connection)
      throw invalid(`chaincode definition for '${name}' exists, but chaincode is not installed`);
    if (!connection.ready && !(await connection.whenReady(launchTimeoutMs))) {
      const { packageId, address } = connection.options;
      throw new Error(
        `could not launch chaincode ${packageId}: connection to ${packageId} failed: ` +
          `error cannot create connection for ${packageId}: error creating grpc connection to ${address}: ` +
          connection.reason,
      );
    }
    try {
      return await connection.execute(parameters, name, input);
    } catch (error) {
      throw new Error(`error sending: ${errorMessage(error)}`, { cause: error });
    }
  }

  /** A chaincode calls another one: on its own channel with the same simulator, on another one read-only. */
  async #invokeFromChaincode(
    context: TransactionContext,
    target: string,
    input: peer.ChaincodeInput,
  ): Promise<peer.ChaincodeMessage> {
    const { parameters } = context;
    const slash = target.indexOf('/');
    const channel = slash < 0 ? parameters.channel : target.slice(slash + 1);
    const name = (slash < 0 ? target : target.slice(0, slash)).split(':')[0] ?? '';
    const denied = this.options.checkCall(channel, parameters.signedProposal);
    if (denied !== null) throw new Error(denied);
    if (channel === parameters.channel) return this.#executeCall(parameters, name, input);
    const ledger = this.options.ledger(channel);
    if (!ledger) throw new Error(`failed to find ledger for channel: ${channel}`);
    const simulator = ledger.simulator(parameters.txId);
    try {
      return await this.#executeCall({ ...parameters, channel, ledger, simulator }, name, input);
    } finally {
      await simulator.done();
    }
  }

  async #executeCall(
    parameters: TransactionParameters,
    name: string,
    input: peer.ChaincodeInput,
  ): Promise<peer.ChaincodeMessage> {
    try {
      return await this.#invoke(parameters, name, input);
    } catch (error) {
      throw new Error(`execute failed: ${errorMessage(error)}`, { cause: error });
    }
  }
}

function approvalKey(channel: string, name: string, sequence: number): string {
  return [channel, name, sequence].join('\n');
}

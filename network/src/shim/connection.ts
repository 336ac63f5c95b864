import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';
import { asBuffer, errorMessage } from '../protos/bytes.js';
import { bytesField, numberField, wire } from '../protos/wire.js';
import { TransactionContext, type TransactionParameters } from './context.js';
import { answerRequest, type InvokeChaincode, isRequest, messageTypeName } from './requests.js';

const { ChaincodeMessage } = peer;
const Type = ChaincodeMessage.Type;
/** Messages go out as bytes, so that the same message to several processes is serialized once. */
type Stream = ClientDuplexStream<Uint8Array, peer.ChaincodeMessage>;

const maxMessageBytes = 100 * 1024 * 1024;
/** The default of 64 KiB makes a large value wait for its receiver again and again. */
const windowBytes = 8 * 1024 * 1024;
const firstDelayMs = 50;
const longestDelayMs = 2000;

/**
 * `ChaincodeAdditionalParams`: this peer takes writes in batches of 1000 and answers 1000 keys at once. The message is
 * newer than the published protobuf classes; shims that do not know it ignore it.
 */
const readyPayload = Buffer.from('080110e807180120e807', 'hex');

export interface ConnectionOptions {
  readonly address: string;
  readonly packageId: string;
  readonly executeTimeoutMs: number;
  readonly invoke: InvokeChaincode;
  readonly log: (message: string) => void;
}

/**
 * The peer's end of one stream to a chaincode process that runs as a server. It dials, dials again with growing delays
 * when the stream ends, and carries any number of transactions at once.
 */
export class ChaincodeConnection {
  #client: Client | undefined;
  #stream: Stream | undefined;
  #ready = false;
  #reason = 'not connected yet';
  #delay = firstDelayMs;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #contexts = new Map<string, TransactionContext>();
  readonly #waiters = new Set<() => void>();

  constructor(readonly options: ConnectionOptions) {
    this.#dial();
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Why the connection is not ready. */
  get reason(): string {
    return this.#reason;
  }

  /** Waits until the chaincode has registered; false when it has not in time. */
  async whenReady(timeoutMs: number): Promise<boolean> {
    if (this.#ready || this.#closed) return this.#ready;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#waiters.add(finish);
      // Somebody is waiting: do not sit out the delay.
      if (this.#timer) this.#dial();
    });
    return this.#ready;
  }

  /**
   * Runs one transaction (or Init) in the chaincode.
   *
   * @returns the chaincode's COMPLETED or ERROR message
   * @throws Error `timeout expired while executing transaction`, `chaincode stream terminated`
   */
  async execute(
    parameters: TransactionParameters,
    namespace: string,
    input: peer.ChaincodeInput,
  ): Promise<peer.ChaincodeMessage> {
    const key = contextKey(parameters.channel, parameters.txId);
    if (this.#contexts.has(key)) throw new Error(`txid: ${parameters.txId}(${parameters.channel}) exists`);
    let timer: NodeJS.Timeout | undefined;
    let context: TransactionContext | undefined;
    try {
      return await new Promise<peer.ChaincodeMessage>((resolve, reject) => {
        context = new TransactionContext(namespace, parameters, resolve, reject);
        this.#contexts.set(key, context);
        timer = setTimeout(
          () => reject(new Error('timeout expired while executing transaction')),
          this.options.executeTimeoutMs,
        );
        if (this.#ready && this.#stream) this.#stream.write(transactionMessage(parameters, input));
        else reject(new Error('chaincode stream terminated'));
      });
    } finally {
      clearTimeout(timer);
      this.#contexts.delete(key);
      await context?.closeQueries();
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#lost('closed');
    for (const wake of this.#waiters) wake();
  }

  #dial(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed || this.#stream) return;
    const client = new Client(this.options.address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': -1,
      'grpc-node.flow_control_window': windowBytes,
      'grpc.use_local_subchannel_pool': 1,
    });
    const stream = client.makeBidiStreamRequest('/protos.Chaincode/Connect', asBuffer, (bytes) =>
      ChaincodeMessage.deserializeBinary(bytes),
    );
    this.#client = client;
    this.#stream = stream;
    const lost = (reason: string): void => {
      if (this.#stream === stream) this.#lost(reason);
    };
    stream.on('data', (message: peer.ChaincodeMessage) => {
      if (this.#stream === stream) this.#receive(message);
    });
    stream.on('error', (error) => lost(error.message));
    stream.on('end', () => lost('chaincode stream ended'));
  }

  #lost(reason: string): void {
    if (this.#ready) this.options.log(`chaincode ${this.options.packageId}: stream lost: ${reason}`);
    this.#ready = false;
    this.#reason = reason;
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#client?.close();
    this.#client = undefined;
    for (const context of this.#contexts.values()) context.fail(new Error('chaincode stream terminated'));
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#dial(), this.#delay);
    this.#timer.unref();
    this.#delay = Math.min(this.#delay * 2, longestDelayMs);
  }

  #receive(message: peer.ChaincodeMessage): void {
    const type = message.getType();
    if (type === Type.KEEPALIVE) return;
    if (!this.#ready) {
      if (type === Type.REGISTER) this.#register(message);
      else this.#lost(`cannot handle message (${messageTypeName(type)}) while in created state`);
      return;
    }
    if (type === Type.COMPLETED || type === Type.ERROR) {
      this.#context(message)?.finish(message);
    } else if (isRequest(type)) {
      void this.#answer(message);
    } else {
      this.#lost(`cannot handle message (${messageTypeName(type)}) while in ready state`);
    }
  }

  #register(message: peer.ChaincodeMessage): void {
    const { packageId } = this.options;
    const name = peer.ChaincodeID.deserializeBinary(message.getPayload_asU8()).getName();
    if (name !== packageId) {
      this.#lost(`the process registered as '${name}', but '${packageId}' was expected`);
      return;
    }
    this.#stream?.write(encodeMessage({ type: Type.REGISTERED }));
    this.#stream?.write(encodeMessage({ type: Type.READY, payload: readyPayload }));
    this.#ready = true;
    this.#delay = firstDelayMs;
    this.options.log(`chaincode ${packageId}: ready at ${this.options.address}`);
    for (const wake of [...this.#waiters]) wake();
  }

  async #answer(request: peer.ChaincodeMessage): Promise<void> {
    const type = request.getType();
    const context = this.#context(request);
    if (context?.busy) return;
    const [txId, channel] = [request.getTxid(), request.getChannelId()];
    let answer: Uint8Array;
    try {
      if (!context)
        throw new Error(
          type === Type.INVOKE_CHAINCODE ? 'could not get valid transaction' : 'no ledger context',
        );
      context.busy = true;
      const payload = await answerRequest(type, request.getPayload_asU8(), context, this.options.invoke);
      answer = encodeMessage({ type: Type.RESPONSE, payload, txId, channel });
    } catch (error) {
      const text = `${messageTypeName(type)} failed: transaction ID: ${txId}: ${errorMessage(error)}`;
      answer = encodeMessage({ type: Type.ERROR, payload: Buffer.from(text), txId, channel });
    }
    if (context) context.busy = false;
    this.#stream?.write(answer);
  }

  #context(message: peer.ChaincodeMessage): TransactionContext | undefined {
    return this.#contexts.get(contextKey(message.getChannelId(), message.getTxid()));
  }
}

/** A serialized `ChaincodeMessage`. */
function encodeMessage(message: {
  readonly type: number;
  readonly payload?: Uint8Array;
  readonly txId?: string;
  readonly proposal?: Uint8Array;
  readonly channel?: string;
}): Buffer {
  const { type, payload = nothing, txId = '', proposal = nothing, channel = '' } = message;
  return wire(
    numberField(1, type),
    bytesField(3, payload),
    bytesField(4, txId),
    bytesField(5, proposal),
    bytesField(7, channel),
  ).toBuffer();
}

const nothing = new Uint8Array(0);

const transactionMessages = new WeakMap<peer.ChaincodeInput, { channel: string; bytes: Buffer }>();

/** The call of a chaincode, which is the same for the processes of all organisations that endorse. */
function transactionMessage(
  { txId, channel, signedProposal }: TransactionParameters,
  input: peer.ChaincodeInput,
): Buffer {
  const known = transactionMessages.get(input);
  if (known?.channel === channel) return known.bytes;
  const bytes = encodeMessage({
    type: Type.TRANSACTION,
    payload: input.serializeBinary(),
    txId,
    proposal: signedProposal.serializeBinary(),
    channel,
  });
  transactionMessages.set(input, { channel, bytes });
  return bytes;
}

function contextKey(channel: string, txId: string): string {
  return `${channel}/${txId}`;
}

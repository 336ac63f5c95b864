import { once } from 'node:events';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { ledger, peer } from '@hyperledger/fabric-protos';

const { ChaincodeMessage } = peer;
const Type = ChaincodeMessage.Type;
type Message = peer.ChaincodeMessage;

/** What a script may ask its peer for, in the course of one transaction. */
export interface Ledger {
  get(key: string): Promise<string>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** All keys and values. */
  all(): Promise<[key: string, value: string][]>;
}

/** One transaction: its result, or what it throws, is the chaincode's response. */
export type Script = (ledger: Ledger, name: string, ...args: string[]) => Promise<string>;

/** A chaincode server inside the test's own process, which speaks the shim's protocol as far as scripts need it. */
export class ScriptedChaincode {
  readonly #server = new Server({ 'grpc.max_receive_message_length': -1 });
  readonly #closed: Promise<unknown>[] = [];
  // Declared apart, so that Node runs this file without a compiler, too.
  readonly #packageId: string;
  readonly #script: Script;
  #port = 0;

  private constructor(packageId: string, script: Script) {
    this.#packageId = packageId;
    this.#script = script;
    this.#server.addService(peer.ChaincodeService, {
      connect: (stream: ServerDuplexStream<Message, Message>) => this.#serve(stream),
    });
  }

  static async start(packageId: string, script: Script): Promise<ScriptedChaincode> {
    const chaincode = new ScriptedChaincode(packageId, script);
    chaincode.#port = await new Promise<number>((resolve, reject) => {
      chaincode.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
    return chaincode;
  }

  /** How often peers have connected. */
  get connections(): number {
    return this.#closed.length;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Resolves when every peer that ever connected has hung up. */
  async abandoned(): Promise<void> {
    await Promise.all(this.#closed);
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #serve(stream: ServerDuplexStream<Message, Message>): void {
    this.#closed.push(once(stream, 'close'));
    /** By transaction: takes the answer to the request under way. */
    const answers = new Map<string, (answer: Message) => void>();
    stream.on('error', () => undefined);
    stream.on('data', (message: Message) => {
      const type = message.getType();
      if (type === Type.TRANSACTION) void this.#transact(stream, answers, message);
      else answers.get(message.getTxid())?.(message);
    });
    const id = new peer.ChaincodeID();
    id.setName(this.#packageId);
    const register = new ChaincodeMessage();
    register.setType(Type.REGISTER);
    register.setPayload(id.serializeBinary());
    stream.write(register);
  }

  async #transact(
    stream: ServerDuplexStream<Message, Message>,
    answers: Map<string, (answer: Message) => void>,
    transaction: Message,
  ): Promise<void> {
    const txId = transaction.getTxid();
    const say = (type: number, payload: Uint8Array): void => {
      const message = new ChaincodeMessage();
      message.setType(type as ReturnType<Message['getType']>);
      message.setTxid(txId);
      message.setChannelId(transaction.getChannelId());
      message.setPayload(payload);
      stream.write(message);
    };
    const ask = async (type: number, payload: Uint8Array): Promise<Uint8Array> => {
      const answer = await new Promise<Message>((resolve) => {
        answers.set(txId, resolve);
        say(type, payload);
      });
      if (answer.getType() === Type.ERROR) throw new Error(Buffer.from(answer.getPayload_asU8()).toString());
      return answer.getPayload_asU8();
    };
    const response = new peer.Response();
    const input = peer.ChaincodeInput.deserializeBinary(transaction.getPayload_asU8());
    const [name = '', ...args] = input.getArgsList_asU8().map((bytes) => Buffer.from(bytes).toString());
    try {
      response.setPayload(Buffer.from(await this.#script(ledgerOf(ask), name, ...args)));
      response.setStatus(200);
    } catch (error) {
      response.setStatus(500);
      response.setMessage(error instanceof Error ? error.message : String(error));
    }
    answers.delete(txId);
    say(Type.COMPLETED, response.serializeBinary());
  }
}

function ledgerOf(ask: (type: number, payload: Uint8Array) => Promise<Uint8Array>): Ledger {
  return {
    async get(key) {
      const request = new peer.GetState();
      request.setKey(key);
      return Buffer.from(await ask(Type.GET_STATE, request.serializeBinary())).toString();
    },
    async put(key, value) {
      const request = new peer.PutState();
      request.setKey(key);
      request.setValue(Buffer.from(value));
      await ask(Type.PUT_STATE, request.serializeBinary());
    },
    async delete(key) {
      const request = new peer.DelState();
      request.setKey(key);
      await ask(Type.DEL_STATE, request.serializeBinary());
    },
    async all() {
      const range = new peer.GetStateByRange();
      // What Fabric's shims send for an empty start: composite keys stay outside.
      range.setStartkey('\u0001');
      let answer = peer.QueryResponse.deserializeBinary(
        await ask(Type.GET_STATE_BY_RANGE, range.serializeBinary()),
      );
      const found: [string, string][] = [];
      for (;;) {
        for (const bytes of answer.getResultsList()) {
          const entry = ledger.queryresult.KV.deserializeBinary(bytes.getResultbytes_asU8());
          found.push([entry.getKey(), Buffer.from(entry.getValue_asU8()).toString()]);
        }
        if (!answer.getHasMore()) return found;
        const next = new peer.QueryStateNext();
        next.setId(answer.getId());
        answer = peer.QueryResponse.deserializeBinary(
          await ask(Type.QUERY_STATE_NEXT, next.serializeBinary()),
        );
      }
    },
  };
}

import { randomBytes } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import {
  connect,
  type Contract,
  type Gateway,
  hash,
  type Network,
  type ProposalOptions,
  signers,
} from '@hyperledger/fabric-gateway';
import type { Running } from './backends.js';
import { chaincodes, type Deployed, shared } from './layout.js';
import type { Credentials, Pki } from './pki.js';
import { RawGateway } from './rawGateway.js';

const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

const seconds = (count: number) => () => ({ deadline: Date.now() + count * 1000 });

/** As whom and through whose peer a scenario talks to the network. */
export interface Connection {
  /** Default Org1MSP. */
  readonly as?: string;
  /** Whose peer; default: one's own, or Org1's. */
  readonly via?: string;
  readonly identity?: Credentials;
}

/** A running network and its clients, shared by all scenarios of a backend. */
export class Bed {
  readonly pki: Pki;
  readonly #clients = new Map<string, grpc.Client>();
  readonly #gateways = new Map<string, Gateway>();
  readonly #run = randomBytes(4).toString('hex');
  #counter = 0;

  constructor(readonly running: Running) {
    this.pki = running.pki;
  }

  /** A key or a prefix that no other scenario uses, nor one of an earlier run on the same network. */
  unique(name: string): string {
    return `${name}-${this.#run}-${++this.#counter}`;
  }

  /** `host:port` of an organisation's peer. */
  address(mspId: string): string {
    if (!this.running.withPeers.includes(mspId)) throw new Error(`${mspId} has no peer`);
    return this.running.address(mspId);
  }

  /** A new connection to a peer; the caller closes it. */
  dial(mspId: string, options: grpc.ClientOptions = unlimited): grpc.Client {
    return new grpc.Client(this.address(mspId), grpc.credentials.createSsl(this.pki.tlsRoot(mspId)), {
      'grpc.ssl_target_name_override': this.pki.peerName(mspId),
      ...options,
    });
  }

  client(mspId: string): grpc.Client {
    return remember(this.#clients, mspId, () => this.dial(mspId));
  }

  /** The client library, connected. */
  gateway({ as = 'Org1MSP', via, identity }: Connection = {}): Gateway {
    const through = via ?? (this.running.withPeers.includes(as) ? as : 'Org1MSP');
    const make = (): Gateway => this.connect(identity ?? this.pki.user(as), this.client(through));
    return identity ? make() : remember(this.#gateways, `${as} ${through}`, make);
  }

  connect(identity: Credentials, client: grpc.Client): Gateway {
    return connect({
      client,
      identity: { mspId: identity.mspId, credentials: Buffer.from(identity.certificate) },
      signer: signers.newPrivateKeySigner(identity.key),
      hash: hash.sha256,
      evaluateOptions: seconds(40),
      endorseOptions: seconds(60),
      submitOptions: seconds(30),
      commitStatusOptions: seconds(60),
    });
  }

  network(channel: string = shared, connection: Connection = {}): Network {
    return this.gateway(connection).getNetwork(channel);
  }

  contract(chaincode: Deployed = chaincodes.everything, connection: Connection = {}): Contract {
    return this.network(chaincode.channel, connection).getContract(chaincode.name);
  }

  /** A peer's services without the client library. */
  raw(mspId = 'Org1MSP'): RawGateway {
    return new RawGateway(this.client(mspId));
  }

  /** Submits to the chaincode that has everything, as Org1, and waits for the commit. */
  async submit(transaction: string, ...args: string[]): Promise<string> {
    return text(await this.contract().submitTransaction(transaction, ...args));
  }

  /** Evaluates on the chaincode that has everything, as Org1. */
  async evaluate(transaction: string, ...args: string[]): Promise<string> {
    return text(await this.contract().evaluateTransaction(transaction, ...args));
  }

  /** The JSON that an evaluation returns. */
  async query(transaction: string, ...args: string[]): Promise<unknown> {
    return JSON.parse(await this.evaluate(transaction, ...args)) as unknown;
  }

  /** Submits with options and returns the validation code. */
  async code(
    transaction: string,
    options: ProposalOptions,
    contract: Contract = this.contract(),
  ): Promise<number> {
    const endorsed = await contract.newProposal(transaction, options).endorse();
    return (await (await endorsed.submit()).getStatus()).code;
  }

  /** Endorses all transactions on the same state before any is submitted, then submits them in order. */
  async race(...calls: readonly (readonly [transaction: string, ...args: string[]])[]): Promise<number[]> {
    const contract = this.contract();
    const endorsed = await Promise.all(
      calls.map(([transaction, ...args]) => contract.newProposal(transaction, { arguments: args }).endorse()),
    );
    const codes: Promise<number>[] = [];
    for (const transaction of endorsed) {
      const commit = await transaction.submit();
      codes.push(commit.getStatus().then(({ code }) => code));
    }
    return Promise.all(codes);
  }

  async close(): Promise<void> {
    for (const gateway of this.#gateways.values()) gateway.close();
    for (const client of this.#clients.values()) client.close();
    await this.running.close();
  }
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}

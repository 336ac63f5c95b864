import { Server, ServerCredentials } from '@grpc/grpc-js';
import { deliverService } from './deliver/deliver.js';
import { type PeerOptions } from './embedded-options.js';
import { chaincodeDefinition, checkProposal, type PeerChannel, writersPolicy } from './endorser/channel.js';
import { Endorser } from './endorser/endorser.js';
import { endorserService } from './endorser/service.js';
import { Gateway } from './gateway/gateway.js';
import { type GatewayPeer, type PeerDirectory } from './gateway/peer-directory.js';
import { gatewayService } from './gateway/service.js';
import { Signer } from './msp/identity.js';
import { DeliverService, EndorserService, GatewayService } from './protos/services.js';
import { ChaincodeSupport } from './shim/chaincode-support.js';

const maxMessageBytes = 100 * 1024 * 1024;

export interface PeerNodeOptions {
  readonly mspId: string;
  readonly peer: PeerOptions;
  readonly channels: readonly PeerChannel[];
  readonly directory: PeerDirectory;
  readonly timeWindowSeconds: number;
  readonly executeTimeoutMs: number;
  readonly log: (message: string) => void;
}

/** The peer of one organisation: its identity, its channels, its chaincodes and its gRPC server. */
export class PeerNode implements GatewayPeer {
  readonly mspId: string;
  readonly name: string;
  readonly signer: Signer;
  readonly endorser: Endorser;
  readonly chaincodes: ChaincodeSupport;
  readonly channels: Map<string, PeerChannel>;
  readonly #server: Server;
  #address: string;

  constructor(private readonly options: PeerNodeOptions) {
    this.mspId = options.mspId;
    this.name = options.peer.name;
    this.#address = options.peer.listenAddress;
    this.channels = new Map(options.channels.map((channel) => [channel.name, channel]));
    this.signer = new Signer(options.mspId, options.peer.signing);
    const channelOf = (name: string): PeerChannel | undefined => this.channel(name);
    this.chaincodes = new ChaincodeSupport({
      executeTimeoutMs: options.executeTimeoutMs,
      log: (message) => options.log(`${this.name}: ${message}`),
      ledger: (name) => this.channel(name)?.ledger,
      checkCall: (name, proposal) => {
        const channel = this.channel(name);
        return channel
          ? checkProposal(channel, writersPolicy, proposal)
          : `Failed to get policy manager for channel [${name}]`;
      },
    });
    const { timeWindowSeconds } = options;
    this.endorser = new Endorser({
      signer: this.signer,
      channel: channelOf,
      chaincodes: this.chaincodes,
      timeWindowSeconds,
    });
    this.#server = new Server({
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
    });
    this.#server.addService(GatewayService, gatewayService(new Gateway(this, options.directory)));
    this.#server.addService(EndorserService, endorserService(this.endorser));
    this.#server.addService(DeliverService, deliverService({ channel: channelOf, timeWindowSeconds }));
  }

  /** Adds a channel of which the organisation has become a member. */
  join(channel: PeerChannel): void {
    this.channels.set(channel.name, channel);
  }

  /** `host:port` that the peer listens on, with the real port once it has started. */
  get address(): string {
    return this.#address;
  }

  channel(name: string): PeerChannel | undefined {
    return this.channels.get(name);
  }

  hasChaincode(channelName: string, chaincode: string): boolean {
    const channel = this.channel(channelName);
    const definition = channel && chaincodeDefinition(channel, chaincode);
    return (
      definition !== undefined &&
      this.chaincodes.connection(channelName, chaincode, definition.sequence) !== undefined
    );
  }

  /** @throws Error where the address cannot be listened on, for example because the port is taken */
  async listen(): Promise<void> {
    const { tls, listenAddress } = this.options.peer;
    const credentials = ServerCredentials.createSsl(null, [
      { private_key: Buffer.from(tls.privateKey), cert_chain: Buffer.from(tls.certificate) },
    ]);
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(listenAddress, credentials, (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      });
    });
    this.#address = `${listenAddress.slice(0, listenAddress.lastIndexOf(':'))}:${port}`;
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
    this.chaincodes.close();
    await Promise.all(Array.from(this.channels.values(), ({ ledger }) => ledger.close()));
  }
}

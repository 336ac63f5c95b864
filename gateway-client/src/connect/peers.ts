import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import { connect as connectGateway, hash, type Gateway } from '@hyperledger/fabric-gateway';
import { ClientError } from '../errors.js';
import { peersOf, readProfileFiles, type ConnectionProfile, type ProfileFiles } from './profile.js';
import { externalSigner, keySigner, type DigestSigner, type MessageSigner } from './signer.js';

/** Fabric's own limit for one message; a transaction carries ciphertexts as transient data. */
const MESSAGE_LIMIT = 100 * 1024 * 1024;
/** gRPC's own 64 KiB would have a message of some megabytes wait for the peer dozens of times. */
const FLOW_CONTROL_WINDOW = 8 * 1024 * 1024;
/** A peer that did not serve is left alone for so long, as long as there is another. */
const AVOID_MS = 10_000;

/** A peer whose gateway serves a client. */
export interface GatewayPeer {
  readonly endpoint: string;
  readonly gateway: Gateway;
  close(): void;
}

/**
 * The peers through which one identity reaches the ledger. The first one serves while it can; for every channel by
 * itself, because a peer knows its own organisation's channels only.
 */
export class GatewayPeers implements Disposable {
  readonly #avoidedUntil = new Map<string, number>();

  constructor(
    private readonly peers: readonly GatewayPeer[],
    private readonly now: () => number = Date.now,
  ) {}

  /** The first peer that is not avoided on a channel; where all are, the one that is to be tried again first. */
  choose(channel: string): GatewayPeer {
    const now = this.now();
    const until = (peer: GatewayPeer): number => this.#avoidedUntil.get(keyOf(channel, peer)) ?? 0;
    const free = this.peers.find((peer) => until(peer) <= now);
    const chosen = free ?? this.peers.toSorted((a, b) => until(a) - until(b))[0];
    if (!chosen) throw new TypeError('a ledger is reached through a peer');
    return chosen;
  }

  /** Has others serve a channel for a while. */
  avoid(channel: string, peer: GatewayPeer): void {
    this.#avoidedUntil.set(keyOf(channel, peer), this.now() + AVOID_MS);
  }

  [Symbol.dispose](): void {
    for (const peer of this.peers) peer.close();
  }
}

function keyOf(channel: string, { endpoint }: GatewayPeer): string {
  return `${endpoint} ${channel}`;
}

/**
 * Opens a connection over TLS to every peer of a profile; nothing is sent before it is used.
 *
 * @param sign - signs in the place of the profile's key file.
 * @throws ClientError `PROFILE_INVALID`.
 */
export async function openPeers(profile: ConnectionProfile, sign?: DigestSigner): Promise<GatewayPeers> {
  const files = await readProfileFiles(profile);
  const { tlsCaCerts, certificate, tlsClient } = files;
  const signer = signerOf(profile, files, sign);
  // Events are bound to the certificate of the connection that asks for them.
  const clientHash =
    tlsClient &&
    parsed(`The TLS certificate ${profile.tlsClientCertPath ?? ''}`, () =>
      createHash('sha256').update(new X509Certificate(tlsClient.certificate).raw).digest(),
    );
  const peers = peersOf(profile).map(({ peerEndpoint, peerHostAlias }, index): GatewayPeer => {
    const channel = parsed(`The TLS authority of ${peerEndpoint}, or the client's own TLS certificate,`, () =>
      credentials.createSsl(tlsCaCerts[index] ?? null, tlsClient?.key, tlsClient?.certificate),
    );
    const client = new Client(peerEndpoint, channel, {
      'grpc.ssl_target_name_override': peerHostAlias,
      'grpc.default_authority': peerHostAlias,
      'grpc.max_receive_message_length': MESSAGE_LIMIT,
      'grpc.max_send_message_length': MESSAGE_LIMIT,
      'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW,
      // Peers refuse clients that ask more often than once a minute whether they are still there.
      'grpc.keepalive_time_ms': 120_000,
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 2_000,
    });
    const gateway = connectGateway({
      client,
      identity: { mspId: profile.mspId, credentials: certificate },
      ...signer,
      ...(clientHash && { tlsClientCertificateHash: clientHash }),
    });
    return {
      endpoint: peerEndpoint,
      gateway,
      close() {
        gateway.close();
        client.close();
      },
    };
  });
  return new GatewayPeers(peers);
}

function signerOf(
  profile: ConnectionProfile,
  { certificate, privateKey }: ProfileFiles,
  sign: DigestSigner | undefined,
): MessageSigner {
  if (sign)
    return parsed(`The certificate ${profile.certPath}`, () => ({
      signer: externalSigner(sign, certificate),
      hash: hash.sha256,
    }));
  if (!privateKey) {
    throw new ClientError(
      'PROFILE_INVALID',
      'The profile names no private key (keyPath), and no external signer was given.',
    );
  }
  return parsed(`The private key ${profile.keyPath ?? ''}`, () => keySigner(createPrivateKey(privateKey)));
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError('PROFILE_INVALID', `${what} cannot be used.`, { cause });
  }
}

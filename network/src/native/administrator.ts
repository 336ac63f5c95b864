import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { NetworkError } from '../errors.js';
import type { FabricProgram } from './binaries.js';
import { runCommand } from './command.js';

const serverSchema = z.strictObject({
  /** `host:port`. */
  address: z.string().regex(/^[^:]+:\d+$/, { error: 'an address is host:port' }),
  /** PEM file of the TLS authority. */
  tlsCa: z.string(),
});

/** Everything that the administrator of one organisation has at hand: an identity, the own peer and an orderer. */
export const administratorSchema = z.strictObject({
  mspId: z.string(),
  /** Folder of the administrator's MSP, with the private key. */
  mspDir: z.string(),
  /** Absent in an organisation without a peer. */
  peer: serverSchema.optional(),
  /** The administrator's own TLS certificate and key, for peers that ask for one: PEM files. */
  tlsClient: z.strictObject({ certificate: z.string(), key: z.string() }).optional(),
  orderer: serverSchema,
});

/** A peer or an orderer as its clients know it. */
export type Server = z.infer<typeof serverSchema>;
export type Administrator = z.infer<typeof administratorSchema>;

/** Fabric's command line programs, run as the administrator of one organisation. */
export class AdministratorCli {
  readonly #underWay = new Map<string, Promise<void>>();

  /** `folder` takes the configuration of the `peer` program and the files that steps hand on. */
  constructor(
    readonly programs: Readonly<Record<FabricProgram, string>>,
    readonly administrator: Administrator,
    readonly folder: string,
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'core.yaml'), stringify(clientConfig(administrator)), { mode: 0o600 });
  }

  /** Runs `peer ...`, against the own peer unless flags name others, and returns what it wrote. */
  async peer(args: readonly string[]): Promise<string> {
    const { stdout } = await runCommand({
      program: this.programs.peer,
      args,
      env: { FABRIC_CFG_PATH: this.folder },
    });
    return stdout;
  }

  /** Does something that must not be done twice at the same time; whoever asks meanwhile waits for the first. */
  async once(key: string, action: () => Promise<void>): Promise<void> {
    const started = this.#underWay.get(key) ?? action().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  /** Flags that name the orderer to the `peer` program. */
  get ordererFlags(): string[] {
    const { address, tlsCa } = this.administrator.orderer;
    return ['-o', address, '--tls', '--cafile', tlsCa];
  }

  /**
   * The own peer.
   * @throws NetworkError ORGANIZATION_UNKNOWN in an organisation without one
   */
  get ownPeer(): Server {
    const { peer, mspId } = this.administrator;
    if (!peer) throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} runs no peer.`);
    return peer;
  }
}

/** The part of a `core.yaml` that the `peer` program reads as a client. */
function clientConfig({ mspId, mspDir, peer, tlsClient }: Administrator): unknown {
  return {
    peer: {
      localMspId: mspId,
      localMspType: 'bccsp',
      mspConfigPath: mspDir,
      BCCSP: { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } },
      client: { connTimeout: '3s' },
      tls: {
        enabled: true,
        ...(peer && { rootcert: { file: peer.tlsCa } }),
        ...(tlsClient && {
          clientAuthRequired: true,
          clientCert: { file: tlsClient.certificate },
          clientKey: { file: tlsClient.key },
        }),
      },
      ...(peer && { address: peer.address }),
    },
  };
}

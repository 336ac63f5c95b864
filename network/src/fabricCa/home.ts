import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { CertificateAuthority, type OrganizationPaths } from '../certificates/index.js';

/** Who enters identities at a server. */
export const REGISTRAR = 'registrar';

/** What is read back of a server's configuration. */
const homeSchema = z.object({
  port: z.int(),
  registry: z.object({ identities: z.tuple([z.object({ pass: z.string() })]) }),
});

/** The folder of an organisation's server. */
export interface CaHome {
  readonly folder: string;
  readonly port: number;
  /** The registrar's secret. */
  readonly secret: string;
}

/** Below the identity trees, as in fabric-samples. */
export function caFolder(dir: string, domain: string): string {
  return join(dir, 'organizations', 'fabric-ca', domain);
}

/** The folder of a server that was prepared before; undefined where there is none. */
export function readHome(folder: string): CaHome | undefined {
  const file = configurationFile(folder);
  if (!existsSync(file)) return undefined;
  const { port, registry } = homeSchema.parse(parse(readFileSync(file, 'utf8')));
  return { folder, port, secret: registry.identities[0].pass };
}

/**
 * Prepares the folder of a `fabric-ca-server` that issues for the organisation's own authority: its configuration, and
 * a TLS certificate of the organisation's TLS authority.
 */
export async function writeHome(
  folder: string,
  domain: string,
  paths: OrganizationPaths,
  port: number,
): Promise<CaHome> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tlsCa = await CertificateAuthority.load({
    certificate: readFileSync(paths.tlsCaCertificate, 'utf8'),
    key: readFileSync(paths.tlsCaKey, 'utf8'),
  });
  const tls = await tlsCa.issueTls(`ca.${domain}`, [`ca.${domain}`, 'localhost', '127.0.0.1', '::1']);
  writeFileSync(join(folder, 'tls-cert.pem'), tls.certificate);
  writeFileSync(join(folder, 'tls-key.pem'), tls.key, { mode: 0o600 });
  const secret = randomBytes(24).toString('base64url');
  // Last: its presence says that all is there.
  const configuration = stringify(serverConfiguration(domain, paths, port, secret));
  writeFileSync(configurationFile(folder), configuration, { mode: 0o600 });
  return { folder, port, secret };
}

/** Has a server listen on another port from its next start on. */
export function moveHome(home: CaHome, port: number): CaHome {
  const file = configurationFile(home.folder);
  const configuration = parseDocument(readFileSync(file, 'utf8'));
  configuration.set('port', port);
  writeFileSync(file, configuration.toString(), { mode: 0o600 });
  return { ...home, port };
}

function configurationFile(folder: string): string {
  return join(folder, 'fabric-ca-server-config.yaml');
}

/** Settings as documented in Fabric CA's sample `fabric-ca-server-config.yaml`. */
function serverConfiguration(
  domain: string,
  paths: OrganizationPaths,
  port: number,
  secret: string,
): unknown {
  return {
    address: '127.0.0.1',
    port,
    debug: false,
    tls: { enabled: true, certfile: 'tls-cert.pem', keyfile: 'tls-key.pem' },
    ca: { name: `ca.${domain}`, certfile: paths.caCertificate, keyfile: paths.caKey },
    registry: {
      maxenrollments: -1,
      identities: [
        {
          name: REGISTRAR,
          pass: secret,
          type: 'client',
          affiliation: '',
          attrs: {
            'hf.Registrar.Roles': '*',
            'hf.Registrar.DelegateRoles': '*',
            'hf.Registrar.Attributes': '*',
            'hf.Revoker': true,
            'hf.GenCRL': true,
          },
        },
      ],
    },
    db: { type: 'sqlite3', datasource: 'fabric-ca-server.db' },
    affiliations: {},
    signing: { default: { usage: ['digital signature'], expiry: '8760h' } },
    bccsp: {
      default: 'SW',
      sw: { hash: 'SHA2', security: 256, filekeystore: { keystore: 'msp/keystore' } },
    },
    // Nobody uses its anonymous credentials; a thousand of them would be prepared otherwise.
    idemix: { rhpoolsize: 1 },
    operations: { listenAddress: '127.0.0.1:0', tls: { enabled: false } },
    metrics: { provider: 'disabled' },
  };
}

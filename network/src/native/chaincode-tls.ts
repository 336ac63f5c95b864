import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateAuthority, type IssuedCertificate } from '../certificates/index.js';
import type { AdministratorCli } from './administrator.js';
import type { ChaincodeTls } from './chaincode-package.js';

/** TLS between an organisation's peer and its chaincode processes. */
export interface ServiceTls {
  /** What the peer needs: it goes into the package. */
  readonly client: ChaincodeTls;
  /** What a process of fabric-shim's server needs, as its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The two certificates that a peer and its chaincode processes know each other by, made once for an organisation. The
 * authority behind them is for these two alone and its key is thrown away: no user of the organisation can pass for
 * the peer.
 */
export async function chaincodeTls(admin: AdministratorCli, domain: string): Promise<ServiceTls> {
  const folder = join(admin.folder, 'chaincode-tls');
  await admin.once('chaincode-tls', () => issueOnce(folder, domain));
  const path = (name: string): string => join(folder, name);
  const text = (name: string): string => readFileSync(path(name), 'utf8');
  return {
    client: {
      rootCertificate: text('ca.crt'),
      clientCertificate: text('client.crt'),
      clientKey: text('client.key'),
    },
    env: {
      CORE_CHAINCODE_TLS_CERT_FILE: path('server.crt'),
      CORE_CHAINCODE_TLS_KEY_FILE: path('server.key'),
      CORE_CHAINCODE_TLS_CLIENT_CACERT_FILE: path('ca.crt'),
    },
  };
}

async function issueOnce(folder: string, domain: string): Promise<void> {
  const path = (name: string): string => join(folder, name);
  if (existsSync(path('client.key'))) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = await CertificateAuthority.create(`chaincode-tls.${domain}`, domain);
  writeFileSync(path('ca.crt'), authority.issued.certificate);
  const write = (name: string, issued: IssuedCertificate): void => {
    writeFileSync(path(`${name}.crt`), issued.certificate);
    writeFileSync(path(`${name}.key`), issued.key, { mode: 0o600 });
  };
  write('server', await authority.issueTls(`chaincode.${domain}`, ['localhost', '127.0.0.1', '::1']));
  // Last: its presence says that all are there.
  write('client', await authority.issueTls(`peer-of-chaincode.${domain}`, ['localhost']));
}

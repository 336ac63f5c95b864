import { CertificateAuthority } from '@strokeshare/network';

export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** One authority with a server's and two clients' certificates: the researcher's and the server's own for its database. */
export interface Certificates {
  readonly ca: string;
  readonly server: IssuedCertificate;
  readonly researcher: IssuedCertificate;
  readonly database: IssuedCertificate;
}

export const RESEARCHER = 'researcher1';

export async function issueCertificates(): Promise<Certificates> {
  const authority = await CertificateAuthority.create('ca.central.example', 'central.example');
  const identity = (name: string): Promise<IssuedCertificate> => authority.issueIdentity(name, 'client', {});
  return {
    ca: authority.issued.certificate,
    server: await authority.issueTls('localhost', ['localhost', '127.0.0.1']),
    researcher: await identity(RESEARCHER),
    // The database's user.
    database: await identity('server'),
  };
}

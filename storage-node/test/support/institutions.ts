/** Institutions with their authorities, folders and certificates, for zones that run in a test's own process. */
import { createPrivateKey, webcrypto, X509Certificate as NodeCertificate, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import 'reflect-metadata';
import { cryptoProvider, X509Certificate, X509CrlGenerator } from '@peculiar/x509';
import { CertificateAuthority } from '@strokeshare/network';
import type { ZoneEndpoint } from '../../src/index.js';

cryptoProvider.set(webcrypto as never);

type IssuedCertificate = CertificateAuthority['issued'];
type Validity = NonNullable<Parameters<CertificateAuthority['issueIdentity']>[3]>;

const DAY = 86_400_000;

export class Institution {
  private constructor(
    readonly mspId: string,
    readonly dir: string,
    readonly authority: CertificateAuthority,
    readonly tlsAuthority: CertificateAuthority,
    readonly tls: IssuedCertificate,
    readonly agent: IssuedCertificate,
  ) {}

  /** An institution below a folder, its MSP laid out as Fabric wants it. */
  static async create(root: string, number: number): Promise<Institution> {
    const mspId = `Hospital${number}MSP`;
    const dir = join(root, mspId);
    const domain = `hospital${number}.example`;
    const authority = await CertificateAuthority.create(`ca.${domain}`, domain);
    const tlsAuthority = await CertificateAuthority.create(`tlsca.${domain}`, domain);
    const tls = await tlsAuthority.issueTls(`storage.${domain}`, [`storage.${domain}`]);
    const role = { 'strokeshare.role': 'institution' };
    const agent = await authority.issueIdentity('Agent1', 'client', role);
    const institution = new Institution(mspId, dir, authority, tlsAuthority, tls, agent);
    institution.write('msp/cacerts/ca.pem', authority.issued.certificate);
    institution.write('tls/ca.pem', tlsAuthority.issued.certificate);
    institution.write('tls/cert.pem', tls.certificate);
    institution.write('tls/key.pem', tls.key);
    institution.write('agent/cert.pem', agent.certificate);
    institution.write('agent/key.pem', agent.key);
    return institution;
  }

  get serverName(): string {
    return `storage.hospital${/\d+/.exec(this.mspId)?.[0] ?? ''}.example`;
  }

  get msp(): string {
    return join(this.dir, 'msp');
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text: string | Uint8Array): string {
    const path = this.path(name);
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  /** One of the institution's people or processes. */
  person(name: string, role: string, validity?: Validity): Promise<IssuedCertificate> {
    return this.authority.issueIdentity(name, 'client', { 'strokeshare.role': role }, validity);
  }

  /** Lists certificates as revoked in the institution's MSP folder. */
  async revoke(...certificates: string[]): Promise<void> {
    const key = await webcrypto.subtle.importKey(
      'pkcs8',
      createPrivateKey(this.authority.issued.key).export({ type: 'pkcs8', format: 'der' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign'],
    );
    const list = await X509CrlGenerator.create({
      issuer: new X509Certificate(this.authority.issued.certificate).subject,
      thisUpdate: new Date(Date.now() - DAY),
      nextUpdate: new Date(Date.now() + DAY),
      entries: certificates.map((pem) => ({
        serialNumber: new X509Certificate(pem).serialNumber,
        revocationDate: new Date(Date.now() - DAY),
      })),
      signingKey: key as never,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    this.write('msp/crls/crl.pem', list.toString('pem'));
  }

  /** How somebody reaches a zone of this institution. */
  endpoint(port: number, who: IssuedCertificate): ZoneEndpoint {
    return {
      host: '127.0.0.1',
      port,
      serverName: this.serverName,
      authority: this.tlsAuthority.issued.certificate,
      certificate: who.certificate,
      key: who.key,
    };
  }
}

/** A certificate's subject as contracts and zones read it. */
export const subjectOf = (pem: string): string => new NodeCertificate(pem).subject.replaceAll('\n', ',');

export const privateKey = (issued: IssuedCertificate): KeyObject => createPrivateKey(issued.key);

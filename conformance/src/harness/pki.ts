import { createPrivateKey, type KeyObject, webcrypto } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  cryptoProvider,
  PemConverter,
  X509Certificate,
  X509CrlGenerator,
} from '@peculiar/x509';
import { CertificateAuthority, peerOrganizationPaths } from '@strokeshare/network';

type PeerOrganizationPaths = ReturnType<typeof peerOrganizationPaths>;
import { msp } from '@hyperledger/fabric-protos';
import { domainOf } from './layout.js';

cryptoProvider.set(webcrypto);

/** Someone who signs: an MSP id, a certificate and its key. */
export interface Credentials {
  readonly mspId: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: KeyObject;
}

export type Role = 'client' | 'peer' | 'admin' | 'orderer';

export interface Validity {
  notBefore?: Date;
  notAfter?: Date;
}

/** The creator of a message, as it stands in its header. */
export function serializedIdentity({ mspId, certificate }: Credentials): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(certificate));
  return identity.serializeBinary();
}

/** Where the identities of a network are to be found. */
export interface Places {
  user(mspId: string, name: string): { certificate: string; key: string };
  /** PEM of the authority of the TLS certificate of an organisation's peer, and the host name in that certificate. */
  peerTls(mspId: string): { root: Buffer; host: string };
  /** The identity tree with the keys of authorities and peers: nobody's but the organisation's own. */
  tree(mspId: string): PeerOrganizationPaths;
}

/** The identity trees below the directory of a network. */
export function treePlaces(dir: string): Places {
  const tree = (mspId: string) => peerOrganizationPaths(dir, domainOf(mspId));
  return {
    user: (mspId, name) => tree(mspId).user(name).msp,
    peerTls: (mspId) => {
      const { name, tls } = tree(mspId).peer;
      return { root: readFileSync(tls.ca), host: name };
    },
    tree,
  };
}

/** The identities of a network, and whatever else its authorities can issue. */
export class Pki {
  constructor(private readonly places: Places) {}

  /** A user of an organisation. */
  user(mspId: string, name = 'User1'): Credentials {
    return this.read(mspId, this.places.user(mspId, name));
  }

  /** The identity of an organisation's peer. */
  peer(mspId: string): Credentials {
    return this.read(mspId, this.places.tree(mspId).peer.msp);
  }

  /** PEM of the authority that a peer's TLS certificate comes from. */
  tlsRoot(mspId: string): Buffer {
    return this.places.peerTls(mspId).root;
  }

  /** Host name in the peer's TLS certificate. */
  peerName(mspId: string): string {
    return this.places.peerTls(mspId).host;
  }

  /** Issues a further identity from the organisation's own authority. */
  async issue(mspId: string, name: string, role: Role, validity: Validity = {}): Promise<Credentials> {
    const authority = await this.authority(mspId);
    const issued = await authority.issueIdentity(`${name}@${domainOf(mspId)}`, role, {}, validity);
    return { mspId, certificate: issued.certificate, key: createPrivateKey(issued.key) };
  }

  /** Puts a revocation list into the organisation's verifying MSP. */
  async revoke(mspId: string, revoked: Credentials): Promise<void> {
    const { issued } = await this.authority(mspId);
    const issuer = new X509Certificate(issued.certificate);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    const signingKey = await webcrypto.subtle.importKey(
      'pkcs8',
      PemConverter.decodeFirst(issued.key),
      algorithm,
      false,
      ['sign'],
    );
    const list = await X509CrlGenerator.create({
      issuer: issuer.subject,
      thisUpdate: new Date(Date.now() - 60_000),
      nextUpdate: new Date(Date.now() + 24 * 60 * 60 * 1000),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      signingKey,
      // Without it Fabric validates no certificate of the organisation any more.
      extensions: [await AuthorityKeyIdentifierExtension.create(issuer.publicKey)],
      entries: [{ serialNumber: new X509Certificate(revoked.certificate).serialNumber }],
    });
    const folder = join(this.places.tree(mspId).msp, 'crls');
    mkdirSync(folder, { recursive: true });
    // The label that Fabric reads; the library's own is "CRL".
    writeFileSync(join(folder, 'crl.pem'), `${PemConverter.encode(list.rawData, 'X509 CRL')}\n`);
  }

  private async authority(mspId: string): Promise<CertificateAuthority> {
    const { caCertificate, caKey } = this.places.tree(mspId);
    return CertificateAuthority.load({
      certificate: readFileSync(caCertificate, 'utf8'),
      key: readFileSync(caKey, 'utf8'),
    });
  }

  private read(mspId: string, files: { certificate: string; key: string }): Credentials {
    return {
      mspId,
      certificate: readFileSync(files.certificate, 'utf8'),
      key: createPrivateKey(readFileSync(files.key)),
    };
  }
}

/** An identity that claims to belong to an organisation but comes from an authority of its own. */
export async function impostor(mspId: string, role: Role): Promise<Credentials> {
  const domain = domainOf(mspId);
  const authority = await CertificateAuthority.create(`ca.${domain}`, domain);
  const issued = await authority.issueIdentity(`User1@${domain}`, role, undefined);
  return { mspId, certificate: issued.certificate, key: createPrivateKey(issued.key) };
}

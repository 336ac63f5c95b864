import 'reflect-metadata';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createPrivateKey, X509Certificate as NodeCertificate } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from '@peculiar/x509';
import { parse } from 'yaml';
import { parseConfig } from '../config/index.js';
import { hasLowS } from './lowS.js';
import {
  ATTRIBUTE_OID,
  certificateAttributes,
  CertificateAuthority,
  issueNetwork,
  ordererOrganizationPaths,
  peerOrganizationPaths,
} from './index.js';

const text = (path: string): string => readFileSync(path, 'utf8');

describe('identity tree of a network', () => {
  const dir = mkdtempSync(join(tmpdir(), 'certificates-'));
  const config = parseConfig({
    dir,
    organizations: [
      {
        mspId: 'Hospital1MSP',
        domain: 'hospital1.strokeshare.example',
        peer: true,
        users: [{ name: 'Institution', attributes: { 'strokeshare.role': 'institution' } }],
      },
      { mspId: 'ResearchMSP', domain: 'research.strokeshare.example', peer: false, users: [{ name: 'Ann' }] },
    ],
    channels: [],
    basePort: 7051,
  });
  const hospital = peerOrganizationPaths(dir, 'hospital1.strokeshare.example');

  beforeAll(() => issueNetwork(config));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('chains every identity and every TLS certificate to its own authority', () => {
    const authority = new NodeCertificate(text(hospital.caCertificate));
    const tlsAuthority = new NodeCertificate(text(hospital.tlsCaCertificate));
    expect(authority.ca).toBe(true);
    for (const node of [hospital.peer, hospital.user('Admin'), hospital.user('Institution')]) {
      const certificate = new NodeCertificate(text(node.msp.certificate));
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(text(node.msp.key)))).toBe(true);
      const tls = new NodeCertificate(text(node.tls.certificate));
      expect(tls.verify(tlsAuthority.publicKey)).toBe(true);
      expect(tls.verify(authority.publicKey)).toBe(false);
    }
  });

  it.each([
    ['peer', () => hospital.peer],
    ['admin', () => hospital.user('Admin')],
    ['client', () => hospital.user('Institution')],
    ['orderer', () => ordererOrganizationPaths(dir, 'strokeshare.example').orderer],
  ])('names the node OU %s in the subject', (role, node) => {
    const certificate = new X509Certificate(text(node().msp.certificate));
    expect(certificate.subjectName.getField('OU')).toStrictEqual([role]);
  });

  it('writes attributes as Fabric CA does, as bare JSON', () => {
    const certificate = new X509Certificate(text(hospital.user('Institution').msp.certificate));
    const extension = certificate.getExtension(ATTRIBUTE_OID);
    expect(extension?.critical).toBe(false);
    expect(new TextDecoder().decode(extension?.value)).toBe(
      '{"attrs":{"hf.Affiliation":"","hf.EnrollmentID":"Institution","hf.Type":"client","strokeshare.role":"institution"}}',
    );
    expect(certificateAttributes(certificate)['strokeshare.role']).toBe('institution');
  });

  it('serves localhost and the host name of the peer', () => {
    const tls = new NodeCertificate(text(hospital.peer.tls.certificate));
    expect(tls.checkHost('localhost')).toBe('localhost');
    expect(tls.checkHost('peer0.hospital1.strokeshare.example')).toBeDefined();
    expect(tls.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(tls.checkHost('peer0.hospital2.strokeshare.example')).toBeUndefined();
  });

  it('keeps private keys to their owner', () => {
    for (const path of [hospital.caKey, hospital.tlsCaKey, hospital.peer.msp.key, hospital.peer.tls.key])
      expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('gives a peerless organisation users and no peer', () => {
    const research = peerOrganizationPaths(dir, 'research.strokeshare.example');
    expect(text(research.user('Ann').msp.certificate)).toContain('BEGIN CERTIFICATE');
    expect(() => statSync(research.peer.dir)).toThrow('ENOENT');
    expect(() => statSync(`${research.connectionProfile}.json`)).toThrow('ENOENT');
  });

  it('writes the connection profile as JSON and as YAML', () => {
    const profile: unknown = JSON.parse(text(`${hospital.connectionProfile}.json`));
    expect(parse(text(`${hospital.connectionProfile}.yaml`))).toStrictEqual(profile);
    expect(profile).toMatchObject({
      organizations: { Hospital1: { mspid: 'Hospital1MSP' } },
      peers: { 'peer0.hospital1.strokeshare.example': { url: 'grpcs://localhost:7051' } },
    });
  });
});

describe('certificate authority', () => {
  it('signs with low S only', async () => {
    const authority = await CertificateAuthority.create('ca.example.com', 'example.com');
    const issued = await Promise.all(
      Array.from({ length: 20 }, (_, index) => authority.issueIdentity(`user${index}`, 'client', undefined)),
    );
    for (const { certificate } of [authority.issued, ...issued])
      expect(hasLowS(new Uint8Array(new X509Certificate(certificate).signature))).toBe(true);
  });

  it('goes on issuing after it was loaded from its files, with the validity asked for', async () => {
    const authority = await CertificateAuthority.create('ca.example.com', 'example.com');
    const loaded = await CertificateAuthority.load(authority.issued);
    const notAfter = new Date('2025-01-02T00:00:00Z');
    const { certificate } = await loaded.issueIdentity(
      'late',
      'client',
      {},
      { notBefore: new Date('2025-01-01T00:00:00Z'), notAfter },
    );
    const parsed = new NodeCertificate(certificate);
    expect(parsed.verify(new NodeCertificate(authority.issued.certificate).publicKey)).toBe(true);
    expect(new Date(parsed.validTo)).toStrictEqual(notAfter);
    expect(parsed.subject).toBe('O=example.com\nOU=client\nCN=late');
  });
});

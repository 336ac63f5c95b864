import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { PemConverter, X509Certificate, X509CrlGenerator } from '@peculiar/x509';
import { createOrganization, type TestOrganization } from '../../test/support/test-network.js';
import { type KeyPair } from '../embedded-options.js';
import { Identity, serializeIdentity, Signer } from './identity.js';
import { MspManager } from './manager.js';
import { Msp } from './msp.js';
import { encodeSignature, parseSignature, signMessage, verifySignature } from './signature.js';

describe('signatures', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const message = Buffer.from('message');

  it('always has a low S', () => {
    for (let index = 0; index < 20; index++) {
      const signature = signMessage(privateKey, message);
      expect(parseSignature(signature)!.s <= order / 2n).toBe(true);
      expect(verifySignature(publicKey, message, signature)).toBe(true);
    }
  });

  it('refuses the same signature with a high S', () => {
    const { r, s } = parseSignature(signMessage(privateKey, message))!;
    expect(verifySignature(publicKey, message, encodeSignature(r, order - s))).toBe(false);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no DER', Buffer.from('not a signature')],
    ['something behind it', Buffer.concat([signMessage(privateKey, message), Buffer.of(0)])],
  ])('refuses %s', (_, signature) => {
    expect(verifySignature(publicKey, message, signature)).toBe(false);
  });

  it('refuses another message and another kind of key', () => {
    const signature = signMessage(privateKey, message);
    expect(verifySignature(publicKey, Buffer.from('messagE'), signature)).toBe(false);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(verifySignature(rsa.publicKey, message, signature)).toBe(false);
    expect(() => signMessage(rsa.privateKey, message)).toThrow('not an ECDSA key');
  });

  it('works on P-384 too', () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    expect(verifySignature(pair.publicKey, message, signMessage(pair.privateKey, message))).toBe(true);
  });
});

describe('membership', () => {
  let organization: TestOrganization;
  let msp: Msp;

  beforeAll(async () => {
    organization = await createOrganization('OrgMSP', true);
    msp = await Msp.create(organization.options);
  });

  const identity = ({ certificate }: KeyPair): Identity => new Identity('OrgMSP', certificate);

  it('knows its members by their role', async () => {
    const client = identity(await organization.issue('user', 'client'));
    expect(msp.problem(client)).toBeNull();
    expect(msp.satisfies(client, 'member')).toBe(true);
    expect(msp.satisfies(client, 'client')).toBe(true);
    expect(msp.satisfies(client, 'admin')).toBe(false);
    expect(msp.satisfies(identity(organization.options.peer!.signing), 'peer')).toBe(true);
    expect(msp.satisfies(identity(organization.options.admin!), 'admin')).toBe(true);
  });

  it('refuses a certificate of another authority with the same name', async () => {
    const impostor = await createOrganization('OrgMSP', true);
    const stranger = identity(await impostor.issue('user', 'client'));
    expect(msp.problem(stranger)).toContain('certificate signed by unknown authority');
    expect(msp.satisfies(stranger, 'member')).toBe(false);
  });

  it('refuses the authority itself and a certificate without a role', async () => {
    expect(
      msp.problem(identity({ certificate: organization.authority.issued.certificate, privateKey: '' })),
    ).toContain('A CA certificate cannot be used directly');
    const tls = await organization.authority.issueTls('server', ['localhost']);
    expect(msp.problem(new Identity('OrgMSP', tls.certificate))).toContain(
      'does not have an OU that resolves to',
    );
  });

  it('keeps an expired certificate valid, so that old transactions stay valid, but tells when it expired', async () => {
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000);
    const old = identity(
      await organization.issue('old', 'client', undefined, { notBefore: new Date(0), notAfter }),
    );
    expect(msp.problem(old)).toBeNull();
    expect(old.expiresAt).toEqual(notAfter);
  });

  it('refuses what its authority revoked, and ignores lists of other authorities', async () => {
    const good = await organization.issue('good', 'client');
    const bad = await organization.issue('bad', 'client');
    const list = await revocationList(organization, bad);
    const strict = await Msp.create({ ...organization.options, revocationLists: [list] });
    expect(strict.problem(identity(bad))).toBe('The certificate has been revoked');
    expect(strict.problem(identity(good))).toBeNull();
    const other = await createOrganization('OtherMSP', true);
    const unimpressed = await Msp.create({
      ...organization.options,
      revocationLists: [await revocationList(other, bad)],
    });
    expect(unimpressed.problem(identity(bad))).toBeNull();
  });

  it('deserializes only the identities of the channel', async () => {
    const manager = new MspManager([msp]);
    const pair = await organization.issue('user', 'client');
    const signer = new Signer('OrgMSP', pair);
    const found = manager.deserialize(signer.serialized);
    expect(found.verify(Buffer.from('x'), signer.sign(Buffer.from('x')))).toBe(true);
    expect(manager.deserialize(signer.serialized)).toBe(found);
    expect(() => manager.deserialize(serializeIdentity('OtherMSP', pair.certificate))).toThrow(
      'MSP OtherMSP is unknown',
    );
    expect(() => manager.deserialize(serializeIdentity('OrgMSP', 'no certificate'))).toThrow();
  });
});

/** A list of one revoked certificate, signed by the organisation's authority. */
async function revocationList({ authority }: TestOrganization, revoked: KeyPair): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(authority.issued.key),
    algorithm,
    false,
    ['sign'],
  );
  expect(createPublicKey(createPrivateKey(authority.issued.key)).asymmetricKeyType).toBe('ec');
  const list = await X509CrlGenerator.create({
    issuer: new X509Certificate(authority.issued.certificate).subjectName.toJSON(),
    thisUpdate: new Date(),
    nextUpdate: new Date(Date.now() + 86_400_000),
    entries: [
      { serialNumber: new X509Certificate(revoked.certificate).serialNumber, revocationDate: new Date() },
    ],
    signingAlgorithm: algorithm,
    signingKey,
  });
  return list.toString('pem');
}

import 'reflect-metadata';
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { Extension, X509CertificateGenerator } from '@peculiar/x509';
import { externalSigner, keySigner } from './signer.js';

const digest = Uint8Array.from(createHash('sha256').update('a proposal').digest());
let certificate: Buffer;
let secret: Uint8Array;

beforeAll(async () => {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const { d = '' } = await crypto.subtle.exportKey('jwk', keys.privateKey);
  secret = Uint8Array.from(Buffer.from(d, 'base64url'));
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=token',
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new Extension('1.2.3.4.5.6.7.8.1', false, new TextEncoder().encode('{"attrs":{}}'))],
  });
  certificate = Buffer.from(made.toString('pem'));
});

const sign = (of: Uint8Array, form: 'der' | 'compact', high = false): Uint8Array => {
  const bytes = p256.sign(of, secret, { prehash: false, lowS: true });
  const { r, s } = p256.Signature.fromBytes(bytes, 'compact');
  const signature = high ? new p256.Signature(r, p256.Point.CURVE().n - s) : new p256.Signature(r, s);
  return signature.toBytes(form);
};

test.each([
  ['DER', 'der', false],
  ['DER with a high s', 'der', true],
  ['r and s', 'compact', false],
  ['r and a high s', 'compact', true],
] as const)(
  'a token that answers %s gives the one signature that Fabric takes',
  async (_name, form, high) => {
    const signed = await externalSigner(async (of) => sign(of, form, high), certificate)(digest);
    expect(Buffer.from(signed)).toEqual(Buffer.from(sign(digest, 'der')));
  },
);

test.each<[string, (of: Uint8Array) => Promise<Uint8Array>, RegExp]>([
  [
    'another key',
    async (of) => p256.sign(of, p256.utils.randomSecretKey(), { prehash: false }),
    /another key/,
  ],
  ['a digest that was hashed again', async (of) => p256.sign(of, secret), /hashed again/],
  ['what is no signature', async () => Buffer.from('no'), /did not sign/],
  ['a person who declines', () => Promise.reject(new Error('declined')), /declined/],
])('%s is named before anything is sent', async (_name, token, message) => {
  await expect(externalSigner(token, certificate)(digest)).rejects.toMatchObject({
    code: 'SIGNING_FAILED',
    message: expect.stringMatching(message),
  });
});

test('the own key signs the whole message in the one form that Fabric takes', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { signer, hash } = keySigner(privateKey);
  const message = Buffer.from('a proposal');
  // As the gateway calls it. Half of all signatures have a high s.
  for (let i = 0; i < 32; i++) {
    const signature = Uint8Array.from(await signer(hash(message)));
    expect(verify('sha256', message, publicKey, signature)).toBe(true);
    expect(p256.Signature.fromBytes(signature, 'der').hasHighS()).toBe(false);
  }
});

test('a key on another curve signs as the gateway does', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const { signer, hash } = keySigner(privateKey);
  const message = Buffer.from('a proposal');
  expect(verify('sha256', message, publicKey, await signer(hash(message)))).toBe(true);
});

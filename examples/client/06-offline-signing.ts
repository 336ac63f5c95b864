/**
 * Sign elsewhere.
 *
 * A key may be in a hardware token, behind a signing service, or on a machine without a network. The profile then names no
 * key file, and `sign` gets the SHA-256 of everything that is to be signed: it may show it to a person, and take its time.
 * The signature (DER, or r and s) is verified here before anything is sent.
 *
 * Run: node examples/client/06-offline-signing.ts
 */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, readProfile } from '@strokeshare/gateway-client';
import { signers } from '@hyperledger/fabric-gateway';
import { RESEARCHER, signal } from './alliance.ts';

const { keyPath, ...profile } = await readProfile(RESEARCHER);
assert.ok(keyPath);

// Stands for the token; what it does with a digest is its own matter.
const token = signers.newPrivateKeySigner(createPrivateKey(await readFile(keyPath)));
let signatures = 0;
using connection = await connect(profile, {
  sign: async (digest) => {
    signatures += 1;
    console.log(`to be signed: ${Buffer.from(digest).toString('hex')}`);
    return token(digest);
  },
});
const { name, status } = await connection.researcher().researchers.get({}, { signal });
console.log(`${name} is ${status}`);
assert.equal(signatures, 1);

// A token with another key is named at once, instead of by a peer that says "access denied".
using other = await connect(profile, { sign: async () => new Uint8Array(64).fill(1) });
await assert.rejects(other.researcher().researchers.get({}, { signal }), { code: 'SIGNING_FAILED' });

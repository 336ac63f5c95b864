'use strict';

/*
 * An application as its author writes one for Fabric's test-network: the environment names, the folders and the calls
 * are those that the samples taught. Nothing in it knows which network it talks to. Writes what it saw as JSON.
 */

const { createPrivateKey } = require('node:crypto');
const { promises: fs } = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const { connect, EndorseError, hash, signers } = require('@hyperledger/fabric-gateway');

const env = (name, fallback) => process.env[name] || fallback;

const channelName = env('CHANNEL_NAME', 'mychannel');
const chaincodeName = env('CHAINCODE_NAME', 'basic');
const mspId = env('MSP_ID', 'Org1MSP');
const cryptoPath = env(
  'CRYPTO_PATH',
  path.resolve('test-network', 'organizations', 'peerOrganizations', 'org1.example.com'),
);
const userMsp = path.resolve(cryptoPath, 'users', 'User1@org1.example.com', 'msp');
const keyDirectory = env('KEY_DIRECTORY_PATH', path.resolve(userMsp, 'keystore'));
const certDirectory = env('CERT_DIRECTORY_PATH', path.resolve(userMsp, 'signcerts'));
const tlsCert = env(
  'TLS_CERT_PATH',
  path.resolve(cryptoPath, 'peers', 'peer0.org1.example.com', 'tls', 'ca.crt'),
);
const peerEndpoint = env('PEER_ENDPOINT', 'localhost:7051');
const peerHostAlias = env('PEER_HOST_ALIAS', 'peer0.org1.example.com');

const text = (bytes) => Buffer.from(bytes).toString();

async function onlyFile(directory) {
  const [file] = await fs.readdir(directory);
  return fs.readFile(path.join(directory, file));
}

async function main() {
  const client = new grpc.Client(peerEndpoint, grpc.credentials.createSsl(await fs.readFile(tlsCert)), {
    'grpc.ssl_target_name_override': peerHostAlias,
  });
  const gateway = connect({
    client,
    hash: hash.sha256,
    identity: { mspId, credentials: await onlyFile(certDirectory) },
    signer: signers.newPrivateKeySigner(createPrivateKey(await onlyFile(keyDirectory))),
    evaluateOptions: () => ({ deadline: Date.now() + 5000 }),
    endorseOptions: () => ({ deadline: Date.now() + 15000 }),
    submitOptions: () => ({ deadline: Date.now() + 5000 }),
    commitStatusOptions: () => ({ deadline: Date.now() + 60000 }),
  });
  const saw = {};
  try {
    const network = gateway.getNetwork(channelName);
    const contract = network.getContract(chaincodeName);

    await contract.submitTransaction('InitLedger');
    saw.all = JSON.parse(text(await contract.evaluateTransaction('GetAllAssets')));
    await contract.submitTransaction('CreateAsset', 'asset9', 'Ann', '1300');

    const commit = await contract.submitAsync('TransferAsset', { arguments: ['asset9', 'Saptha'] });
    saw.oldOwner = text(commit.getResult());
    const status = await commit.getStatus();
    saw.successful = status.successful;
    saw.read = JSON.parse(text(await contract.evaluateTransaction('ReadAsset', 'asset9')));

    const events = await network.getChaincodeEvents(chaincodeName, { startBlock: status.blockNumber });
    for await (const event of events) {
      saw.event = { name: event.eventName, payload: text(event.payload) };
      break;
    }
    events.close();

    try {
      await contract.submitTransaction('TransferAsset', 'asset70', 'Tomoko');
    } catch (error) {
      saw.error = error instanceof EndorseError && error.details.map(({ message }) => message);
    }
  } finally {
    gateway.close();
    client.close();
  }
  console.log(JSON.stringify(saw));
}

main().catch((error) => {
  console.error('******** FAILED to run the application:', error);
  process.exitCode = 1;
});

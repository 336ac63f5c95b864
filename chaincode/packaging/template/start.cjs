/*
 * Starts the contracts of this package (`npm start`): as a service that a peer dials where CHAINCODE_SERVER_ADDRESS is
 * set, otherwise as the peer's own builder starts a chaincode, with `--peer.address`.
 */
'use strict';
const { dirname, join } = require('node:path');

/** Why these contracts cannot be started so; undefined where they can. */
function obstacle(version, env) {
  const [major, minor] = version.split('.').map(Number);
  const able = major > 24 || (major === 24 && minor >= 15) || (major === 22 && minor >= 19);
  if (!able)
    return `Node ${version} cannot run these contracts: node-seal needs Node 24.15 or newer, or 22.19 or newer of 22. Where the peer builds the chaincode, set CORE_CHAINCODE_NODE_RUNTIME on the peer to an image of such a Node.`;
  if (env.CHAINCODE_SERVER_ADDRESS && !identifier(env))
    return 'Set CHAINCODE_ID to the package id with which the peer knows this chaincode.';
  return undefined;
}

const identifier = (env) => env.CHAINCODE_ID || env.CORE_CHAINCODE_ID_NAME;

/** Arguments for fabric-shim's own command line; what follows `npm start --` is passed on. */
function shimArguments(env, given) {
  if (!env.CHAINCODE_SERVER_ADDRESS) {
    const told = given.some((word) => word.startsWith('--peer.address'));
    return [
      'start',
      ...(told || !env.CORE_PEER_ADDRESS ? [] : [`--peer.address=${env.CORE_PEER_ADDRESS}`]),
      ...given,
    ];
  }
  // Fabric's samples mount TLS files there; fabric-shim's own CORE_CHAINCODE_TLS_*_FILE variables come first.
  const mounted = env.CORE_PEER_TLS_ENABLED?.toLowerCase() === 'true' && !env.CORE_CHAINCODE_TLS_KEY_FILE;
  return [
    'server',
    `--chaincode-address=${env.CHAINCODE_SERVER_ADDRESS}`,
    `--chaincode-id=${identifier(env)}`,
    ...(mounted
      ? [
          '--chaincode-tls-key-file=/hyperledger/privatekey.pem',
          '--chaincode-tls-cert-file=/hyperledger/cert.pem',
          '--chaincode-tls-client-cacert-file=/hyperledger/rootcert.pem',
        ]
      : []),
    ...given,
  ];
}

const reason = obstacle(process.versions.node, process.env);
if (reason) {
  console.error(reason);
  process.exit(1);
}
// The first process of a container has no default for these: without them every stop would wait to be killed.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));

const cli = join(dirname(require.resolve('fabric-shim/package.json')), 'cli.js');
process.argv = [
  process.execPath,
  cli,
  ...shimArguments(process.env, process.argv.slice(2)),
  `--module-path=${__dirname}`,
];
require(cli);

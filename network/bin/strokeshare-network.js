#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
// Asked here because an older Node cannot even load the command line.
if (major > 22 || (major === 22 && minor >= 19)) {
  require('../dist/cli.js');
} else {
  console.error(
    `Node ${process.versions.node} is too old; a network needs Node 24 (22.19 at least), which ./test-network.sh brings along.`,
  );
  process.exitCode = 1;
}

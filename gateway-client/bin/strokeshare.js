#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
// Asked here because an older Node cannot even load the command line.
if (major > 24 || (major === 24 && minor >= 15) || (major === 22 && minor >= 19)) {
  require('../dist/cli.js').main();
} else {
  console.error(
    `Node ${process.versions.node} cannot run the encrypted arithmetic; it needs Node 24.15 (or 22.19), which ./test-network.sh brings along.`,
  );
  process.exitCode = 1;
}

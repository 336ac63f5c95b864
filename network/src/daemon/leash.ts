/*
 * Loaded into every chaincode process before the chaincode itself. It ends the process, and whatever it started, when
 * the daemon that holds the other end of the channel is gone, even if it was killed: no chaincode outlives its network.
 *
 * As a program of its own (`node leash.js COMMAND ARGUMENT...`) it does the same for a chaincode that is not Node's.
 */
import { spawn } from 'node:child_process';
import { collectBuffersWithHeap, collectSeldom } from './garbageCollection.js';

const endGroup = (): void => {
  // The daemon starts every chaincode as the leader of a process group.
  process.kill(-process.pid, 'SIGKILL');
};

collectBuffersWithHeap();
collectSeldom();

if (process.channel) {
  process.once('disconnect', endGroup);
  // Listening keeps the channel open but must not keep a chaincode alive that has nothing left to do.
  process.channel.unref();
}

if (require.main === module) {
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) process.exit(2);
  const child = spawn(command, args, { stdio: 'inherit' });
  child.once('error', (error) => {
    console.error(`${command}: ${error.message}`);
    process.exit(127);
  });
  child.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  process.channel?.ref();
}

import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Longest path of a unix socket that every supported system takes (104 bytes on macOS, one for the final zero). */
const SOCKET_PATH_LIMIT = 103;

/** Everything that a network writes, by name; nothing else in its directory belongs to it. */
export const OWN_ENTRIES = ['organizations', 'ledger', 'logs', 'chaincode', 'packages', 'run'] as const;

/** The file that marks a directory as a network's; written first and removed last. */
export const MARKER = 'network.json';

/** The file that names the process which is starting the network. */
export const STARTING = 'starting.json';

/** Where the parts of a network are kept below its directory. */
export function layout(dir: string) {
  const run = join(dir, 'run');
  return {
    marker: join(dir, MARKER),
    starting: join(dir, STARTING),
    ledger: join(dir, 'ledger'),
    logs: join(dir, 'logs'),
    daemonLog: join(dir, 'logs', 'network.log'),
    /** Copies of chaincode projects that were built here. */
    chaincode: join(dir, 'chaincode'),
    packages: join(dir, 'packages'),
    run,
    /** Identity of the daemon process. */
    daemon: join(run, 'daemon.json'),
    /** Identities of the chaincode processes. */
    processes: join(run, 'processes.json'),
    /** Ports of the chaincode processes, which they keep. */
    ports: join(run, 'ports.json'),
    /** Chaincode definitions with what is needed to start their processes again. */
    deployments: join(run, 'deployments.json'),
    socket: socketPath(join(run, 'control.sock')),
  };
}

export type Layout = ReturnType<typeof layout>;

/** A deep directory gives a path that no socket can have; such a network listens in the temporary directory. */
function socketPath(wanted: string): string {
  if (Buffer.byteLength(wanted) <= SOCKET_PATH_LIMIT) return wanted;
  const digest = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  return join(tmpdir(), `network-${userInfo().uid}-${digest}.sock`);
}

import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { peerPorts, type ResolvedConfig } from '../config/schema.js';
import { isPortFree, portOwner } from '../daemon/ports.js';
import { NetworkError } from '../errors.js';
import { parsePolicy } from '../policy/channel-policies.js';

const MINIMUM_NODE = 22;
const MINIMUM_MINOR = 19;
const MINIMUM_SPACE = 100 * 1024 * 1024;

/** @throws NetworkError OLD_RUNTIME when this Node cannot run a network. */
export function checkRuntime(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MINIMUM_NODE || (major === MINIMUM_NODE && minor >= MINIMUM_MINOR)) return;
  throw new NetworkError(
    'OLD_RUNTIME',
    `Node ${version} is too old; a network needs Node 24 (${MINIMUM_NODE}.${MINIMUM_MINOR} at least), which ./test-network.sh brings along.`,
  );
}

/** @throws NetworkError PORT_IN_USE naming the first port that is taken, and by whom if the system tells. */
export async function checkPorts(config: ResolvedConfig): Promise<void> {
  for (const { mspId, port } of peerPorts(config)) {
    if (await isPortFree(port)) continue;
    const owner = portOwner(port);
    throw new NetworkError(
      'PORT_IN_USE',
      `Port ${port}, which the peer of ${mspId} needs, is in use${owner === undefined ? '' : ` by ${owner}`}; end that program or choose another base port.`,
    );
  }
}

/** @throws NetworkError NO_SPACE when the disk below the directory is nearly full. */
export function checkSpace(dir: string): void {
  let present = dir;
  while (!existsSync(present)) present = dirname(present);
  const { bavail, bsize } = statfsSync(present);
  const free = bavail * bsize;
  if (free >= MINIMUM_SPACE) return;
  throw new NetworkError(
    'NO_SPACE',
    `Only ${Math.floor(free / 1024 / 1024)} MB are free for ${dir}; a network needs ${MINIMUM_SPACE / 1024 / 1024} MB at least.`,
  );
}

/** @throws NetworkError POLICY_INVALID naming the channel and the policy that cannot be read. */
export function checkPolicies(config: ResolvedConfig): void {
  for (const { name, endorsement, lifecycleEndorsement, admins } of config.channels)
    for (const text of [endorsement, lifecycleEndorsement, admins]) {
      if (text === undefined) continue;
      try {
        parsePolicy(text);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new NetworkError(
          'POLICY_INVALID',
          `The policy "${text}" of the channel ${name} cannot be read: ${reason}`,
          { cause },
        );
      }
    }
}

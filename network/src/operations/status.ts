import { callDaemon } from '../daemon/control.js';
import { layout } from '../daemon/layout.js';
import { daemonStatusSchema, type DaemonStatus } from '../daemon/protocol.js';
import { networkInfo, type NetworkInfo } from './info.js';
import { requireNetwork } from './directory.js';

/** A network and what its daemon says of itself; `crashed` means that it ended without being asked to. */
export type NetworkStatus = NetworkInfo &
  ({ state: 'running'; daemon: DaemonStatus } | { state: 'stopped' | 'crashed' | 'unfinished' });

/**
 * What a network consists of and what of it runs. With `verify` the network reads all its blocks first, and the
 * channels name the nodes whose files are damaged.
 * @throws NetworkError NOT_RUNNING when there is no network in the directory
 */
export async function status(dir: string, { verify = false } = {}): Promise<NetworkStatus> {
  const found = requireNetwork(dir);
  const info = networkInfo({ ...found.marker.config, dir: found.marker.config.dir });
  switch (found.kind) {
    case 'unfinished':
      return { ...info, state: 'unfinished' };
    case 'stopped':
      return { ...info, state: found.crashed ? 'crashed' : 'stopped' };
    case 'running': {
      const daemon = daemonStatusSchema.parse(
        await callDaemon(layout(dir).socket, { method: 'status', verify }),
      );
      return { ...info, state: 'running', daemon };
    }
  }
}

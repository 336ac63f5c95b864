import { parseConfig, type NetworkConfig } from '../config/index.js';
import { callDaemon } from '../daemon/control.js';
import { layout } from '../daemon/layout.js';
import { NetworkError } from '../errors.js';
import { requireNetwork } from './directory.js';

/**
 * Adds a channel to a running network.
 * @throws NetworkError NOT_RUNNING, CONFIG_INVALID or CHANNEL_EXISTS
 */
export async function createChannel(dir: string, channel: NetworkConfig['channels'][number]): Promise<void> {
  const { config } = requireNetwork(dir).marker;
  if (config.channels.some(({ name }) => name === channel.name))
    throw new NetworkError('CHANNEL_EXISTS', `The channel ${channel.name} is there already.`);
  const added = parseConfig({ ...config, channels: [...config.channels, channel] }).channels.at(-1);
  if (!added) throw new NetworkError('CONFIG_INVALID', 'A channel is missing.');
  await callDaemon(layout(config.dir).socket, { method: 'createChannel', channel: added });
}

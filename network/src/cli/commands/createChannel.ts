import { resolve } from 'node:path';
import { Command } from 'commander';
import { createChannel } from '../../operations/createChannel.js';
import { status } from '../../operations/status.js';
import { requireNetwork } from '../../operations/directory.js';
import { DEFAULT_CHANNEL, sampleChannel } from '../defaults.js';
import type { Output } from '../output.js';

export function createChannelCommand(output: Output): Command {
  return new Command('createChannel')
    .description('add a channel of all organisations to the running network')
    .option('-c, --channel <name>', 'its name', DEFAULT_CHANNEL)
    .action(async (flags: { dir: string; channel: string }) => {
      const dir = resolve(flags.dir);
      const { organizations } = requireNetwork(dir).marker.config;
      output.progress(`Creating the channel ${flags.channel}`);
      await createChannel(dir, sampleChannel(flags.channel, organizations));
      const { channels } = await status(dir);
      output.result({ channel: flags.channel, channels }, `The channel ${flags.channel} is ready.`);
    });
}

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { stringify } from 'yaml';
import type { ChannelOptions } from '../embedded-options.js';
import { NetworkError } from '../errors.js';
import { channelProfile, PROFILE } from './channel-config.js';
import type { AdministratorCli } from './administrator.js';
import type { FabricCli } from './cli.js';
import { runCommand } from './command.js';
import type { OrdererNode } from './plan.js';

/** Makes the first block of a channel, once; later calls keep it. */
export async function writeGenesisBlock(cli: FabricCli, channel: ChannelOptions): Promise<string> {
  const { config, plan, fabric, paths } = cli;
  const folder = paths.channel(channel.name);
  const block = paths.genesis(channel.name);
  if (existsSync(block)) return block;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/configtx.yaml`, stringify(channelProfile(config, plan, channel, fabric)));
  await runCommand({
    program: fabric.programs.configtxgen,
    args: ['-configPath', folder, '-profile', PROFILE, '-channelID', channel.name, '-outputBlock', block],
  });
  return block;
}

/** Joins every orderer to a channel and the peers of its members; what has joined before is left alone. */
export async function joinChannel(cli: FabricCli, channel: ChannelOptions): Promise<void> {
  const block = await writeGenesisBlock(cli, channel);
  await Promise.all(cli.plan.orderers.map((node) => joinOrderer(cli, node, channel.name, block)));
  const admins = channel.members.flatMap((mspId) => cli.atEveryPeer(mspId));
  await Promise.all(admins.map((admin) => joinPeer(admin, channel.name, block)));
}

/** Joins an organisation's own peer to a channel, from the channel's first block, unless it has joined. */
export async function joinPeer(admin: AdministratorCli, channel: string, block: string): Promise<void> {
  if ((await joinedChannels(admin)).includes(channel)) return;
  await admin.peer(['channel', 'join', '-b', block]);
}

/** Channels that an organisation's own peer has joined. */
export async function joinedChannels(admin: AdministratorCli): Promise<string[]> {
  const output = await admin.peer(['channel', 'list']);
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^[a-z][a-z0-9.-]*$/.test(line));
}

const participationSchema = z.object({ error: z.string().optional() });

async function joinOrderer(cli: FabricCli, node: OrdererNode, channel: string, block: string): Promise<void> {
  const output = await cli.osnadmin(node, [
    'channel',
    'join',
    '--channelID',
    channel,
    '--config-block',
    block,
    '--no-status',
  ]);
  // osnadmin ends well even when the orderer refuses: its answer says so.
  const answer = participationSchema.safeParse(JSON.parse(output));
  const refusal = answer.data?.error;
  if (refusal !== undefined && !refusal.includes('channel already exists'))
    throw new NetworkError(
      'FABRIC_COMMAND_FAILED',
      `${node.name} refused the channel ${channel}: ${refusal}`,
    );
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { NetworkError } from '../errors.js';
import type { AdministratorCli } from './administrator.js';
import type { FabricProgram } from './binaries.js';
import {
  applyChange,
  channelConfigSchema,
  isInForce,
  organizationDefinitionSchema,
  type ChannelChange,
  type ChannelConfigJson,
  type OrganizationDefinition,
} from './channel-update.js';
import { describeChange, type UpdateDescription } from './update-description.js';
import { runCommand } from './command.js';

/*
 * How members change a channel together. Administrators do not share a machine: each step is one organisation's own
 * and leaves a file that the next one takes. The newcomer describes itself (no secret in it), a member proposes,
 * enough members look and sign, anyone of them submits.
 */

type Programs = Readonly<Record<FabricProgram, string>>;

/**
 * Describes an organisation for the channels that it is to join, from its own files.
 * @param entry the organisation as it would stand in `configtx.yaml`
 * @param anchors its peers that others may ask for the rest; configtxgen leaves them out
 */
export async function describeOrganization(
  programs: Programs,
  folder: string,
  mspId: string,
  entry: unknown,
  anchors: readonly { readonly host: string; readonly port: number }[],
): Promise<OrganizationDefinition> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'configtx.yaml'), stringify({ Organizations: [entry] }));
  const { stdout } = await runCommand({
    program: programs.configtxgen,
    args: ['-configPath', folder, '-printOrg', mspId],
  });
  const definition = organizationDefinitionSchema.parse(JSON.parse(stdout));
  if (anchors.length === 0) return definition;
  const anchorPeers = { mod_policy: 'Admins', value: { anchor_peers: anchors }, version: '0' };
  return { ...definition, values: { ...definition.values, AnchorPeers: anchorPeers } };
}

const blockSchema = z.looseObject({
  data: z.looseObject({
    data: z
      .array(
        z.looseObject({ payload: z.looseObject({ data: z.looseObject({ config: channelConfigSchema }) }) }),
      )
      .min(1),
  }),
});

/** The configuration in force, asked of the orderer. */
export async function currentConfig(admin: AdministratorCli, channel: string): Promise<ChannelConfigJson> {
  const files = workFiles(admin, channel);
  await admin.peer(['channel', 'fetch', 'config', files.block, '-c', channel, ...admin.ordererFlags]);
  const decoded = await decode(admin.programs, 'common.Block', files.block);
  const [transaction] = blockSchema.parse(decoded).data.data;
  if (!transaction)
    throw new NetworkError('FABRIC_COMMAND_FAILED', `${channel} has an empty configuration block.`);
  return transaction.payload.data.config;
}

/**
 * Writes a proposal to change a channel into a file.
 * @returns false, and no file, when the change is in force already
 */
export async function proposeUpdate(
  admin: AdministratorCli,
  channel: string,
  change: ChannelChange,
  file: string,
): Promise<boolean> {
  const { programs } = admin;
  const files = workFiles(admin, channel);
  const current = await currentConfig(admin, channel);
  if (isInForce(current, change)) return false;
  const changed = applyChange(current, change);
  await encode(programs, 'common.Config', current, files.original);
  await encode(programs, 'common.Config', changed, files.changed);
  await runCommand({
    program: programs.configtxlator,
    args: [
      ...['compute_update', '--channel_id', channel, '--original', files.original],
      ...['--updated', files.changed, '--output', files.update],
    ],
  });
  const update = await decode(programs, 'common.ConfigUpdate', files.update);
  const CONFIG_UPDATE = 2;
  const header = { channel_header: { channel_id: channel, type: CONFIG_UPDATE } };
  await encode(programs, 'common.Envelope', { payload: { header, data: { config_update: update } } }, file);
  return true;
}

/** Says what a proposal would change, by the configuration that the orderer serves now. */
export async function describeUpdate(admin: AdministratorCli, file: string): Promise<UpdateDescription> {
  const envelope = await decode(admin.programs, 'common.Envelope', file);
  const channel = z
    .object({
      payload: z.object({ data: z.object({ config_update: z.object({ channel_id: z.string() }) }) }),
    })
    .parse(envelope).payload.data.config_update.channel_id;
  return describeChange(envelope, await currentConfig(admin, channel));
}

/** Adds the own signature to a proposal. */
export async function signUpdate(admin: AdministratorCli, file: string): Promise<void> {
  await admin.peer(['channel', 'signconfigtx', '-f', file]);
}

/**
 * Submits a proposal; the program adds the own signature.
 * @throws NetworkError FABRIC_COMMAND_FAILED when too few have signed, or the channel was changed meanwhile
 */
export async function submitUpdate(admin: AdministratorCli, channel: string, file: string): Promise<void> {
  await admin.peer(['channel', 'update', '-f', file, '-c', channel, ...admin.ordererFlags]);
}

/** Fetches the first block of a channel, with which an admitted organisation's peer joins. */
export async function fetchGenesisBlock(
  admin: AdministratorCli,
  channel: string,
  file: string,
): Promise<void> {
  await admin.peer(['channel', 'fetch', 'oldest', file, '-c', channel, ...admin.ordererFlags]);
}

/** Reads the description of an organisation that another administrator sent. */
export function readDefinition(file: string): OrganizationDefinition {
  const parsed = organizationDefinitionSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success)
    throw new NetworkError('CONFIG_INVALID', `${file} does not describe an organisation.`, {
      cause: parsed.error,
    });
  return parsed.data;
}

function workFiles(admin: AdministratorCli, channel: string) {
  const folder = join(admin.folder, 'updates', channel);
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  return {
    block: file('config.block'),
    original: file('original.pb'),
    changed: file('changed.pb'),
    update: file('update.pb'),
  };
}

async function decode(programs: Programs, type: string, file: string): Promise<unknown> {
  // Into a file: the program cannot open the pipe that stands for its standard output.
  const output = `${file}.json`;
  await runCommand({
    program: programs.configtxlator,
    args: ['proto_decode', '--input', file, '--type', type, '--output', output],
  });
  return JSON.parse(readFileSync(output, 'utf8'));
}

async function encode(programs: Programs, type: string, value: unknown, file: string): Promise<void> {
  writeFileSync(`${file}.json`, JSON.stringify(value));
  await runCommand({
    program: programs.configtxlator,
    args: ['proto_encode', '--input', `${file}.json`, '--type', type, '--output', file],
  });
}

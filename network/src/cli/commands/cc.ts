import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { ADMIN } from '../../certificates/index.js';
import type { DaemonStatus } from '../../daemon/protocol.js';
import { hints } from '../../diagnosis/hints.js';
import { didYouMean } from '../../diagnosis/nearest.js';
import { NetworkError } from '../../errors.js';
import { clientProfile } from '../../operations/clientProfile.js';
import { requireNetwork } from '../../operations/directory.js';
import { status } from '../../operations/status.js';
import { DEFAULT_CHANNEL } from '../defaults.js';
import { table, type Output } from '../output.js';
import { transact } from '../transact.js';
import { packageCommand } from './package.js';

interface CallFlags {
  dir: string;
  channel: string;
  ccn: string;
  ccic?: string;
  ccqc?: string;
  org: string;
  user: string;
}

export function callCommand(output: Output): Command {
  return new Command('cc')
    .description('list, package, invoke or query chaincodes')
    .addCommand(listCommand(output))
    .addCommand(packageCommand(output))
    .addCommand(transactionCommand('invoke', output))
    .addCommand(transactionCommand('query', output));
}

function listCommand(output: Output): Command {
  return new Command('list')
    .description('the chaincodes of a channel, or of all')
    .option('-c, --channel <name>', 'only this channel')
    .action(async (flags: { dir: string; channel?: string }) => {
      const { channels } = await runningDaemon(resolve(flags.dir));
      const rows = channels
        .filter(({ name }) => flags.channel === undefined || name === flags.channel)
        .flatMap(({ name: channel, chaincodes }) =>
          chaincodes.map(({ name, version, sequence }) => ({ channel, name, version, sequence })),
        );
      const lines = rows.map((row) => [row.channel, row.name, row.version, String(row.sequence)]);
      output.result(rows, table([['CHANNEL', 'CHAINCODE', 'VERSION', 'SEQUENCE'], ...lines]));
    });
}

function transactionCommand(verb: 'invoke' | 'query', output: Output): Command {
  const [flag, wanted] =
    verb === 'invoke' ? (['--ccic', 'submit'] as const) : (['--ccqc', 'evaluate'] as const);
  return new Command(verb)
    .description(verb === 'invoke' ? 'submit a transaction' : 'evaluate a transaction on one peer')
    .argument('[function]', 'function, and then its arguments')
    .argument('[arguments...]')
    .option('-c, --channel <name>', 'the channel', DEFAULT_CHANNEL)
    .requiredOption('--ccn <name>', 'name of the chaincode (-ccn)')
    .option(
      `${flag} <json>`,
      `function and arguments as {"Args":["function","argument"]} (-${flag.slice(2)})`,
    )
    .option('--org <organisation>', 'its number or its MSP id', '1')
    .option('--user <name>', 'who calls', ADMIN)
    .action(async (name: string | undefined, args: string[], flags: CallFlags) => {
      const dir = resolve(flags.dir);
      const constructor = flags.ccic ?? flags.ccqc;
      const words = name === undefined ? [] : [name, ...args];
      const [transaction, ...rest] = constructor === undefined ? words : parseArgs(constructor);
      if (transaction === undefined)
        throw new NetworkError(
          'TRANSACTION_FAILED',
          `Say which function to call, e.g. "cc ${verb} -ccn ${flags.ccn} GetAllAssets".`,
        );
      await checkDeployed(dir, flags.channel, flags.ccn);
      const profile = clientProfile(dir, mspIdOf(dir, flags.org), flags.user);
      const call = { channel: flags.channel, chaincode: flags.ccn, transaction, arguments: rest };
      const result = await transact(profile, call, wanted, (failed) => hints(dir, failed));
      output.result({ result }, result);
    });
}

/** The peers' own words for a chaincode that is not there are hard to understand. */
async function checkDeployed(dir: string, channelName: string, chaincode: string): Promise<void> {
  const { channels } = await runningDaemon(dir);
  const channel = channels.find(({ name }) => name === channelName);
  if (!channel)
    throw new NetworkError(
      'CHANNEL_UNKNOWN',
      `There is no channel ${channelName}; this network has ${channels.map(({ name }) => name).join(', ') || 'none'}${didYouMean(
        channelName,
        channels.map(({ name }) => name),
      )}`,
    );
  if (channel.chaincodes.some(({ name }) => name === chaincode)) return;
  const known = channel.chaincodes.map(({ name }) => name);
  throw new NetworkError(
    'CHAINCODE_UNKNOWN',
    `The chaincode ${chaincode} is not deployed on ${channelName}, which has ${known.join(', ') || 'none'}${didYouMean(chaincode, known)}`,
  );
}

async function runningDaemon(dir: string): Promise<DaemonStatus> {
  const found = await status(dir);
  if (found.state === 'running') return found.daemon;
  throw new NetworkError('NOT_RUNNING', `The network in ${found.dir} is ${found.state}; "up" starts it.`);
}

const argsSchema = z.union([
  z.object({ Args: z.array(z.string()) }).transform(({ Args }) => Args),
  z
    .object({ function: z.string(), Args: z.array(z.string()).default([]) })
    .transform((call) => [call.function, ...call.Args]),
]);

function parseArgs(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    const named = z.object({ function: z.string() }).safeParse(value).success;
    return (named ? argsSchema.options[1] : argsSchema.options[0]).parse(value);
  } catch (cause) {
    throw new NetworkError(
      'TRANSACTION_FAILED',
      `${text} is not of the form {"Args":["function","argument"]}.`,
      { cause },
    );
  }
}

/** Organisations are called by number in the samples. */
function mspIdOf(dir: string, organization: string): string {
  const { config } = requireNetwork(dir).marker;
  return /^\d+$/.test(organization)
    ? (config.organizations[Number(organization) - 1]?.mspId ?? organization)
    : organization;
}

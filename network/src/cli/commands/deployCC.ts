import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { didYouMean } from '../../diagnosis/nearest.js';
import { NetworkError } from '../../errors.js';
import { deployChaincode } from '../../operations/deployChaincode.js';
import { requireNetwork } from '../../operations/directory.js';
import { buildProject, type ChaincodeLanguage, languageOf } from '../buildProject.js';
import { DEFAULT_CHANNEL } from '../defaults.js';
import type { Output } from '../output.js';

interface Flags {
  dir: string;
  channel: string;
  ccn: string;
  ccp: string;
  ccl?: ChaincodeLanguage;
  ccv: string;
  ccs: string;
  ccep?: string;
  cccg?: string;
  cci?: string;
}

export function deployCommand(output: Output): Command {
  return new Command('deployCC')
    .alias('deployCCAAS')
    .description('build a chaincode, run it for every member of a channel and commit its definition')
    .option('-c, --channel <name>', 'the channel', DEFAULT_CHANNEL)
    .requiredOption('--ccn <name>', 'name of the chaincode (-ccn)')
    .requiredOption('--ccp <folder>', 'folder of its project (-ccp)')
    .addOption(
      new Option(
        '--ccl <language>',
        'typescript or javascript (-ccl; default: by its tsconfig.json)',
      ).choices(['typescript', 'javascript']),
    )
    .option('--ccv <version>', 'version (-ccv)', '1.0')
    .option('--ccs <sequence>', 'sequence of the definition, or auto (-ccs)', 'auto')
    .option('--ccep <policy>', "endorsement policy, e.g. OR('Org1MSP.peer') (-ccep; default: the channel's)")
    .addOption(new Option('--cccg <file>').hideHelp())
    .addOption(new Option('--cci <function>').hideHelp())
    .action(async (flags: Flags) => {
      refuseUnsupported(flags);
      const dir = resolve(flags.dir);
      const { config } = requireNetwork(dir).marker;
      const channel = config.channels.find(({ name }) => name === flags.channel);
      if (!channel) throw unknownChannel(flags.channel, config.channels);
      const organizations = config.organizations
        .filter(({ mspId, peer }) => peer && channel.members.includes(mspId))
        .map(({ mspId }) => mspId);
      const label = `${flags.ccn}_${flags.ccv}`;
      const language = flags.ccl ?? languageOf(flags.ccp);
      const path = await buildProject({ dir, label, path: flags.ccp, language, onProgress: output.progress });
      await deployChaincode(
        dir,
        {
          channel: channel.name,
          name: flags.ccn,
          version: flags.ccv,
          label,
          path,
          organizations,
          ...(flags.ccs === 'auto' ? {} : { sequence: sequence(flags.ccs) }),
          ...(flags.ccep === undefined ? {} : { endorsement: flags.ccep }),
        },
        { onProgress: output.progress },
      );
      output.result(
        { channel: channel.name, name: flags.ccn, version: flags.ccv, organizations },
        `The chaincode ${flags.ccn} ${flags.ccv} is ready on ${channel.name}, run by ${organizations.join(', ')}.`,
      );
    });
}

function sequence(text: string): number {
  if (!/^[1-9]\d*$/.test(text))
    throw new NetworkError('CHAINCODE_INVALID', `"${text}" is no sequence: a number from 1 on, or "auto".`);
  return Number(text);
}

function unknownChannel(name: string, channels: readonly { name: string }[]): NetworkError {
  const known = channels.map((channel) => channel.name);
  return new NetworkError(
    'CHANNEL_UNKNOWN',
    known.length === 0
      ? `There is no channel ${name}; create one with "createChannel".`
      : `There is no channel ${name}; this network has ${known.join(', ')}${didYouMean(name, known)}`,
  );
}

function refuseUnsupported({ cccg, cci }: Flags): void {
  const refuse = (what: string): never => {
    throw new NetworkError('CHAINCODE_INVALID', `${what} not supported.`);
  };
  if (cccg !== undefined) refuse('Private data collections (-cccg) are');
  if (cci !== undefined) refuse('Definitions that require initialisation (-cci) are');
}

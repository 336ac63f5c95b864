import { resolve } from 'node:path';
import { Command } from 'commander';
import type { ResolvedConfig } from '../../config/index.js';
import { NetworkError } from '../../errors.js';
import { requireNetwork } from '../../operations/directory.js';
import { addOrganization, majorityOf, removeOrganization } from '../../operations/members.js';
import type { Output } from '../output.js';

interface AddFlags {
  dir: string;
  msp?: string;
  domain?: string;
  channel?: string[];
  private?: string;
}

export function addInstitutionCommand(output: Output): Command {
  return new Command('addInstitution')
    .description('admit an organisation with a peer to the running network')
    .option('--msp <id>', 'its MSP id (default: the next number, e.g. Org4MSP)')
    .option('--domain <domain>', 'its domain (default: the next number, e.g. org4.example.com)')
    .option('-c, --channel <names...>', 'channels that it joins (default: those of several organisations)')
    .option('--private <name>', 'also make a channel of its own')
    .action(async (flags: AddFlags) => {
      const dir = resolve(flags.dir);
      const { config } = requireNetwork(dir).marker;
      const next = nextOrganization(config);
      const mspId = flags.msp ?? next?.mspId;
      const domain = flags.domain ?? next?.domain;
      if (mspId === undefined || domain === undefined)
        throw new NetworkError('CONFIG_INVALID', 'Name the new organisation with --msp and --domain.');
      const organization = { mspId, domain, peer: true, users: config.organizations[0]?.users ?? [] };
      const shared = config.channels.filter(({ members }) => members.length > 1).map(({ name }) => name);
      const joins = (flags.channel ?? shared).map((name) => ({ name }));
      const creates =
        flags.private === undefined
          ? []
          : [
              {
                name: flags.private,
                members: [mspId],
                endorsement: majorityOf([mspId], [organization], 'peer'),
              },
            ];
      await addOrganization(dir, { organization, joins, creates }, { onProgress: output.progress });
      const channels = [...joins, ...creates].map(({ name }) => name);
      output.result(
        { mspId, domain, channels },
        `${mspId} is a member of ${channels.join(', ') || 'no channel'}.`,
      );
    });
}

export function removeInstitutionCommand(output: Output): Command {
  return new Command('removeInstitution')
    .description('exclude an organisation from the running network and its channels')
    .requiredOption('--msp <id>', 'its MSP id')
    .action(async (flags: { dir: string; msp: string }) => {
      await removeOrganization(resolve(flags.dir), { mspId: flags.msp }, { onProgress: output.progress });
      output.result({ mspId: flags.msp }, `${flags.msp} is excluded.`);
    });
}

/** The organisation that continues the numbers of those with peers: Org4MSP and org4.example.com after Org3MSP. */
function nextOrganization(config: ResolvedConfig): { mspId: string; domain: string } | undefined {
  const numbered = config.organizations.flatMap(({ mspId, domain, peer }) => {
    const msp = /^(.*?)(\d+)MSP$/.exec(mspId);
    const label = /^([a-z-]*?)(\d+)\.(.+)$/.exec(domain);
    return peer && msp && label && msp[2] === label[2]
      ? [{ name: msp[1] ?? '', number: Number(msp[2]), label: label[1] ?? '', parent: label[3] ?? '' }]
      : [];
  });
  const last = numbered.sort((a, b) => a.number - b.number).at(-1);
  if (!last) return undefined;
  const number = last.number + 1;
  return { mspId: `${last.name}${number}MSP`, domain: `${last.label}${number}.${last.parent}` };
}

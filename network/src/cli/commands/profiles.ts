import { resolve } from 'node:path';
import { Command } from 'commander';
import { exportProfiles } from '../../operations/exportProfiles.js';
import type { Output } from '../output.js';

export function profilesCommand(output: Output): Command {
  return new Command('profiles')
    .description(
      "write connection profiles and users' identities, for clients that use this network from outside",
    )
    .requiredOption('--out <folder>', 'where to write them; private keys are among them')
    .action((flags: { dir: string; out: string }) => {
      const folder = resolve(flags.out);
      const organizations = exportProfiles(resolve(flags.dir), folder);
      output.result({ folder, organizations }, `${folder} has the profiles of ${organizations.join(', ')}.`);
    });
}

import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { certificateExpiry } from '../../operations/certificateExpiry.js';
import { integer } from '../integer.js';
import { table, type Output } from '../output.js';

const DEFAULT_WITHIN_DAYS = 30;

export function certificatesCommand(output: Output): Command {
  return new Command('certificates')
    .description('list certificates by the day on which they expire; exit code 1 if one expires soon')
    .argument('[paths...]', "files or folders, e.g. a node's MSP (default: those of the network in --dir)")
    .option('--within <days>', 'how many days ahead counts as soon', integer(0, 36_500), DEFAULT_WITHIN_DAYS)
    .action((paths: string[], flags: { dir: string; within: number }) => {
      const found = certificateExpiry(
        (paths.length > 0 ? paths : [flags.dir]).map((path) => resolve(path)),
        new Date(),
      );
      const soon = found.filter(({ daysLeft }) => daysLeft < flags.within);
      const rows = found.map(({ name, organization, authority, notAfter, daysLeft, files }) => [
        daysLeft < 0 ? 'EXPIRED' : daysLeft < flags.within ? 'soon' : 'ok',
        notAfter.slice(0, 10),
        `${daysLeft} days`,
        authority ? 'authority' : 'certificate',
        name,
        organization,
        files[0] ?? '',
      ]);
      const summary = `${soon.length} of ${found.length} certificates expire within ${flags.within} days.`;
      output.result(
        { within: flags.within, expiring: soon.length, certificates: found },
        `${table(rows)}\n${summary}`,
      );
      // The list is the message; monitoring reads the exit code.
      if (soon.length > 0) throw new CommanderError(1, 'certificates.expiring', summary);
    });
}

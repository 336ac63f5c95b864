import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { layout } from '../../daemon/layout.js';
import { packProject } from '../../operations/chaincodePackage.js';
import { buildProject, type ChaincodeLanguage, languageOf } from '../buildProject.js';
import type { Output } from '../output.js';

interface Flags {
  ccn: string;
  ccp: string;
  ccl?: ChaincodeLanguage;
  ccv: string;
  output?: string;
}

/** `cc package`: the file that `peer lifecycle chaincode install` takes on any Fabric network. */
export function packageCommand(output: Output): Command {
  return new Command('package')
    .description('pack a chaincode as a file that a Fabric peer installs; needs no network')
    .requiredOption('--ccn <name>', 'name of the chaincode (-ccn)')
    .requiredOption('--ccp <folder>', 'folder of its project (-ccp)')
    .addOption(
      new Option('--ccl <language>', 'typescript or javascript (-ccl)').choices(['typescript', 'javascript']),
    )
    .option('--ccv <version>', 'version (-ccv)', '1.0')
    .option('-o, --output <file>', 'the file (default: packagedChaincode/NAME_VERSION.tar.gz)')
    .action(async ({ ccn, ccp, ccl, ccv, output: chosen }: Flags) => {
      const label = `${ccn}_${ccv}`;
      const file = resolve(chosen ?? join('packagedChaincode', `${label}.tar.gz`));
      // The project is built in a folder of its own, as for a network, so that the user's stays as it is.
      const dir = mkdtempSync(join(tmpdir(), 'package-'));
      try {
        mkdirSync(layout(dir).logs, { recursive: true });
        const language = ccl ?? languageOf(ccp);
        const path = await buildProject({ dir, label, path: ccp, language, onProgress: output.progress });
        const { packageId, bytes } = await packProject(label, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, bytes);
        output.result({ packageId, file }, `${file}\nPackage id ${packageId}`);
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });
}

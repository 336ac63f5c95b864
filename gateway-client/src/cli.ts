import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { accessCommand } from './cli/access.js';
import { agentCommand } from './cli/agent.js';
import { agreementCommand } from './cli/agreement.js';
import { compareBuilds } from './cli/builds.js';
import { auditCommand } from './cli/audit.js';
import { powCommand } from './cli/pow.js';
import { completionCommand } from './cli/completion.js';
import { datasetCommand } from './cli/dataset.js';
import { inboxCommands } from './cli/inbox.js';
import { initCommand } from './cli/init.js';
import { institutionCommand } from './cli/institution.js';
import { keyCommand } from './cli/key.js';
import { profileOption, withExample } from './cli/options.js';
import { queryCommand } from './cli/query.js';
import { researcherCommand } from './cli/researcher.js';
import { storageCommand } from './cli/storage.js';
import { ended, EXIT_CODES_TEXT, exitCodeOf, sentenceOf } from './cli/ending.js';
import { ClientError } from './errors.js';
import { demoDown, demoPaths, runDemo, type DemoBackend } from './demo/index.js';

/** The project that this package is a part of. */
const PROJECT = resolve(__dirname, '..', '..');

const { version: VERSION } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')));

interface DemoFlags {
  keep?: boolean;
  down?: boolean;
  json?: boolean;
  backend: DemoBackend | 'existing';
  profiles?: string;
}

/** The command line: what `strokeshare` understands. */
export function program(signal: AbortSignal): Command {
  const command = new Command('strokeshare')
    .description(
      'Research questions across the hospitals of a stroke alliance, answered on encrypted records.',
    )
    .version(VERSION, '--version', 'print the version')
    .addHelpText('after', `\n${EXIT_CODES_TEXT}`)
    .showHelpAfterError('(add --help for the usage)');

  withExample(command.command('demo'), 'demo', 'demo --keep')
    .description('run the main job: four hospitals, a collective key, three questions on 19,435 patients')
    .option('--keep', 'leave the network and the agents running')
    .option('--down', 'take down what a demo left running, and remove everything that it made')
    .addOption(
      new Option(
        '--backend <kind>',
        "embedded: in Node, needs nothing else; native: Fabric's own orderer and peers, found on PATH or in FABRIC_BIN_DIR; existing: a network that runs already",
      )
        .choices(['embedded', 'native', 'existing'])
        .default('embedded'),
    )
    .option('--profiles <folder>', 'existing: connection profiles and identities of that network')
    .option('--json', 'print the report as JSON')
    .action(async ({ keep, down, json, backend, profiles }: DemoFlags) => {
      if ((backend === 'existing') !== (profiles !== undefined)) {
        throw new ClientError(
          'PROFILE_INVALID',
          '--backend existing and --profiles FOLDER belong together: the folder says how to reach that network.',
        );
      }
      if (down) {
        if (await demoDown(demoPaths(join(PROJECT, '.strokeshare', 'demo'))))
          console.log('The demo is gone.');
        return;
      }
      const report = await runDemo({
        project: PROJECT,
        ...(backend === 'existing' ? {} : { backend }),
        ...(profiles === undefined ? {} : { profiles: resolve(profiles) }),
        signal,
        progress: process.stderr,
        print: json ? () => undefined : (text) => console.log(text),
        ...(keep && { keep }),
      });
      if (json) console.log(JSON.stringify(report, undefined, 2));
    });

  for (const one of [
    initCommand(),
    institutionCommand(signal),
    researcherCommand(signal),
    accessCommand(signal),
    agreementCommand(signal),
    ...inboxCommands(signal),
  ])
    command.addCommand(one);
  command.addCommand(queryCommand(signal));
  command.addCommand(datasetCommand(signal));
  command.addCommand(keyCommand(signal));
  command.addCommand(agentCommand(signal));
  withExample(
    command.command('builds [organizations...]'),
    'builds --records hospital1-records --profile agent.json',
  )
    .description('compare what the contracts of every organisation run; exit code 1 where they differ')
    .addOption(profileOption())
    .option('--records <channel>', "also what serves this private channel of the profile's organisation")
    .option('--json', 'print it as JSON')
    .action(
      async (organizations: string[], options: { profile: string; records?: string; json?: boolean }) => {
        if (!(await compareBuilds(organizations, options, signal))) process.exitCode = 1;
      },
    );
  command.addCommand(auditCommand(signal));
  command.addCommand(powCommand(signal));
  command.addCommand(storageCommand());
  command.addCommand(completionCommand(command));
  overrideExit(command);
  return command;
}

/** Has every command throw instead of ending the process, so that exit codes are given in one place. */
function overrideExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(overrideExit);
}

/**
 * Runs one command line; what goes wrong is a sentence on standard error and the process' exit code.
 *
 * @param args - what stands behind the command's name.
 */
export async function run(args: readonly string[], interrupted: AbortSignal): Promise<void> {
  try {
    await program(interrupted).parseAsync(args, { from: 'user' });
  } catch (error) {
    // Commander has printed its own text, help included.
    if (!(error instanceof CommanderError)) console.error(sentenceOf(error));
    process.exitCode = exitCodeOf(error, interrupted);
  }
}

/** Runs it on the process' own arguments. */
export async function main(): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort());
  await run(process.argv.slice(2), interrupted.signal);
  ended();
}

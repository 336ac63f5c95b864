import { Command, CommanderError, Option } from 'commander';
import { adminCommand } from './commands/admin.js';
import { callCommand } from './commands/cc.js';
import { certificatesCommand } from './commands/certificates.js';
import { createChannelCommand } from './commands/createChannel.js';
import { deployCommand } from './commands/deployCC.js';
import { addInstitutionCommand, removeInstitutionCommand } from './commands/members.js';
import { downCommand, logsCommand, statusCommand, stopCommand } from './commands/operate.js';
import { profilesCommand } from './commands/profiles.js';
import { upCommand } from './commands/up.js';
import { DEFAULT_DIRECTORY } from './defaults.js';
import { normalizeFlags } from './flags.js';
import { Output } from './output.js';

/** Runs the command line and returns the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const words = normalizeFlags(argv);
  const output = new Output(words.includes('--json'));
  const program = createProgram(output);
  if (words.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has written its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    return output.failure(error);
  }
}

function createProgram(output: Output): Command {
  const program = new Command('strokeshare-network')
    .description('A development network of Hyperledger Fabric in one process of Node.')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError('(run with -h for help)');
  const commands = [
    upCommand(output),
    createChannelCommand(output),
    deployCommand(output),
    callCommand(output),
    adminCommand(output),
    addInstitutionCommand(output),
    removeInstitutionCommand(output),
    certificatesCommand(output),
    profilesCommand(output),
    statusCommand(output),
    logsCommand(output),
    stopCommand(output),
    downCommand(output),
  ];
  for (const command of commands) program.addCommand(withCommonFlags(command.copyInheritedSettings(program)));
  return program;
}

function withCommonFlags(command: Command): Command {
  if (command.commands.length > 0) {
    for (const child of command.commands) withCommonFlags(child.copyInheritedSettings(command));
    return command;
  }
  return (
    command
      .option('--dir <directory>', 'where the network is kept', DEFAULT_DIRECTORY)
      .option('--json', 'write the result as JSON')
      // The samples' scripts ask again and again whether something is ready; here nothing needs to be asked twice.
      .addOption(new Option('-r <retries>').hideHelp())
      .addOption(new Option('-d <delay>').hideHelp())
      .addOption(new Option('--verbose').hideHelp())
  );
}

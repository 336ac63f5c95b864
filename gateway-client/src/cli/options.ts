import { Option, type Command } from 'commander';

/** Who asks; the environment says it for every command of a shell. */
export const profileOption = (
  which = "a connection profile, an agent's agent.json or a researcher.json",
): Option => new Option('--profile <file>', which).env('STROKESHARE_PROFILE').makeOptionMandatory();

/** Which institution acts; the environment says it for every command of a shell. */
export const agentOption = (): Option =>
  new Option('--agent <folder>', "the folder of the institution's agent, whose keys sign")
    .env('STROKESHARE_AGENT')
    .makeOptionMandatory();

/** What commands that act as an institution are given. */
export interface AgentFlags {
  agent: string;
  json?: boolean;
}

/** Ends the help of a command with lines that may be typed. */
export function withExample(command: Command, ...lines: string[]): Command {
  const typed = lines.map((line) => `\n  strokeshare ${line}`).join('');
  return command.addHelpText('after', `\nExample:${typed}`);
}

/** What the commands of {@link connectedCommands} are given. */
export interface Common {
  profile: string;
  json?: boolean;
}

/**
 * Makes the commands below one that ask the ledger through a profile and print what it says, as JSON where that is
 * wanted.
 *
 * @param suffix - ends every example.
 */
export function connectedCommands(
  parent: Command,
  suffix = '',
): (usage: string, description: string, example: string) => Command {
  return (usage, description, example) =>
    withExample(
      parent
        .command(usage)
        .description(description)
        .addOption(profileOption())
        .option('--json', 'print it as JSON'),
      `${parent.name()} ${example}${suffix}`,
    );
}

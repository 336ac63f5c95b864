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

/** Ends the help of a command with lines that may be typed. */
export function withExample(command: Command, ...lines: string[]): Command {
  const typed = lines.map((line) => `\n  strokeshare ${line}`).join('');
  return command.addHelpText('after', `\nExample:${typed}`);
}

import { Command } from 'commander';
import { approve, inbox, refuse, type InboxItem } from '../agent/index.js';
import { asInstitution, show } from './connected.js';
import { agentOption, withExample, type AgentFlags } from './options.js';

/** `strokeshare inbox`, `approve` and `refuse`: what an institution's policy leaves to a person. */
export function inboxCommands(signal: AbortSignal): Command[] {
  const command = (usage: string, description: string, example: string): Command => {
    const [name, argument] = usage.split(' ');
    const made = new Command(name).description(description).addOption(agentOption());
    if (argument !== undefined) made.argument(argument);
    return withExample(made.option('--json', 'print it as JSON'), example);
  };
  return [
    command(
      'inbox',
      "list what waits for a person, outside the bounds of the institution's policy.yaml",
      'inbox --agent ./agent',
    ).action(({ agent, json }: AgentFlags) =>
      asInstitution(agent, signal, async (context) => {
        const items = await inbox(context);
        show(items, json, () => (items.length === 0 ? 'Nothing waits.' : items.map(textOf).join('\n\n')));
      }),
    ),
    command(
      'approve <name>',
      'say yes: sign an agreement, or let the agent take part in a job',
      'approve agreement/ist-outcomes --agent ./agent',
    ).action((name: string, { agent, json }: AgentFlags) =>
      asInstitution(agent, signal, async (context) => {
        const item = await approve(context, name);
        show(item, json, () => `${item.name} is approved.`);
      }),
    ),
    command(
      'refuse <name>',
      'say no: refuse an agreement on the ledger, or have the agent give nothing to a job',
      'refuse job/aspirin-1a2b3c4d --reason "Ask for fewer groups" --agent ./agent',
    )
      .requiredOption('--reason <text>')
      .action((name: string, { agent, json, reason }: AgentFlags & { reason: string }) =>
        asInstitution(agent, signal, async (context) => {
          const item = await refuse(context, name, reason);
          show(item, json, () => `${item.name} is refused.`);
        }),
      ),
  ];
}

function textOf({ name, researcherId, about, reasons, until }: InboxItem): string {
  return [
    `${name}, asked by ${researcherId}, until ${until}`,
    `  ${about}`,
    ...reasons.map((reason) => `  waits because ${reason}`),
  ].join('\n');
}

import { Command } from 'commander';
import { allPages } from '../agent/context.js';
import { openResearcher, register } from '../researcher/index.js';
import { columns, connected, show } from './connected.js';
import { connectedCommands, type Common } from './options.js';

/** `strokeshare researcher ...`: who may ask. */
export function researcherCommand(signal: AbortSignal): Command {
  const researcher = new Command('researcher').description('who may ask');
  const command = connectedCommands(researcher);

  command(
    'register',
    'register yourself with the key of your folder, which results are sealed to',
    'register --name "A. Lee" --affiliation "Stroke group" --profile me/researcher.json',
  )
    .requiredOption('--name <name>')
    .requiredOption('--affiliation <group>', 'results of one affiliation are compared with each other')
    .action(async ({ profile, json, name, affiliation }: Common & { name: string; affiliation: string }) => {
      using opened = await openResearcher(profile, signal);
      const entry = await register(opened, { name, affiliation });
      show(entry, json, () => `${entry.researcherId} is registered: ${entry.status}.`);
    });
  command(
    'rotate',
    'have results sealed to the key of your folder from now on, after the registered one was lost',
    'rotate --profile me/researcher.json',
  ).action(async ({ profile, json }: Common) => {
    using opened = await openResearcher(profile, signal);
    const sealingKey = Buffer.from(opened.keys.publicKey).toString('base64');
    const entry = await opened.client.researchers.rotateKey({ sealingKey }, { signal });
    show(
      entry,
      json,
      () => `${entry.researcherId}: results are sealed to the key of your folder from now on.`,
    );
  });
  command('list', 'list the researchers', 'list --profile agent.json').action(({ profile, json }: Common) =>
    connected(profile, async (connection) => {
      const { researchers } = connection.auditor();
      const items = await allPages((after) =>
        researchers.list(after === undefined ? {} : { after }, { signal }),
      );
      show(items, json, () =>
        columns([
          ['researcher', 'status', 'name', 'affiliation'],
          ...items.map(({ researcherId, status, name, affiliation }) => [
            researcherId,
            status,
            name,
            affiliation,
          ]),
        ]),
      );
    }),
  );
  command(
    'show [researcher-id]',
    'print one researcher, or yourself',
    'show --profile me/researcher.json',
  ).action((researcherId: string | undefined, { profile }: Common) =>
    connected(profile, async (connection) => {
      const { researchers } = connection.auditor();
      const entry = await researchers.get(researcherId === undefined ? {} : { researcherId }, { signal });
      console.log(JSON.stringify(entry, undefined, 2));
    }),
  );
  for (const [name, kind, description] of [
    ['suspend', 'suspendResearcher', "take a researcher's right to ask"],
    ['resume', 'restoreResearcher', 'give it back'],
  ] as const) {
    command(
      `${name} <researcher-id>`,
      `${description}: by the operator of the own organisation, or by a motion of the members`,
      `${name} "ResearchMSP/CN=alice" --reason "Left the group" --profile operator.json`,
    )
      .requiredOption('--reason <text>')
      .option('--motion <id>', 'as an institution: propose it to the members under this name')
      .action((researcherId: string, options: Common & { reason: string; motion?: string }) =>
        connected(options.profile, async (connection) => {
          const { reason, motion: motionId, json } = options;
          if (motionId !== undefined) {
            const { institutions } = connection.institution();
            const made = await institutions.propose({ kind, motionId, reason, researcherId }, { signal });
            show(made, json, () => `${motionId} is ${made.state}; the members vote on it now.`);
            return;
          }
          const { researchers } = connection.operator();
          const entry =
            kind === 'suspendResearcher'
              ? await researchers.suspend({ researcherId, reason }, { signal })
              : await researchers.restore({ researcherId }, { signal });
          show(entry, json, () => `${researcherId} is ${entry.status}.`);
        }),
      );
  }
  return researcher;
}

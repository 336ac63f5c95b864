import {
  institutionLevels,
  votingRules,
  type FoundConsortium,
  type Motion,
  type MotionView,
} from '@strokeshare/chaincode';
import { Argument, Command, Option } from 'commander';
import { enroll, foundConsortium, rotateKeys } from '../agent/index.js';
import { allPages } from '../agent/context.js';
import { ClientError } from '../errors.js';
import { asInstitution, columns, connected, show } from './connected.js';
import { agentOption, connectedCommands, withExample, type AgentFlags, type Common } from './options.js';

type Level = (typeof institutionLevels)[number];

/** `strokeshare institution ...`: who has a seat, and how seats are given and taken. */
export function institutionCommand(signal: AbortSignal): Command {
  const institution = new Command('institution').description('the members of the consortium');
  const command = connectedCommands(institution, ' --profile agent.json');

  command('list', 'list the enrolled institutions', 'list').action(({ profile, json }: Common) =>
    connected(profile, async (connection) => {
      const { institutions } = connection.auditor();
      const items = await allPages((after) =>
        institutions.list(after === undefined ? {} : { after }, { signal }),
      );
      show(items, json, () =>
        columns([
          ['MSP ID', 'level', 'status', 'name', 'hosted by'],
          ...items.map(({ mspId, level, status, name, hostedBy = '' }) => [
            mspId,
            level,
            status,
            name,
            hostedBy,
          ]),
        ]),
      );
    }),
  );
  command(
    'show <msp-id>',
    'print one institution with its keys and their periods',
    'show Hospital1MSP',
  ).action((mspId: string, { profile }: Common) =>
    connected(profile, async (connection) =>
      console.log(
        JSON.stringify(await connection.auditor().institutions.get({ mspId }, { signal }), undefined, 2),
      ),
    ),
  );
  command('motions', 'list what was proposed', 'motions').action(({ profile, json }: Common) =>
    connected(profile, async (connection) => {
      const { institutions } = connection.auditor();
      const items = await allPages((after) =>
        institutions.motions(after === undefined ? {} : { after }, { signal }),
      );
      show(items, json, () => columns([['motion', 'state', 'about', 'reason'], ...items.map(lineOf)]));
    }),
  );
  command(
    'propose',
    'propose to admit or exclude an institution',
    'propose admit Hospital5MSP --motion admit-5 --level county --reason "Joins the alliance"',
  )
    .addArgument(new Argument('<kind>').choices(['admit', 'exclude']))
    .argument('<msp-id>')
    .requiredOption('--motion <id>', 'a name for the motion')
    .requiredOption('--reason <text>')
    .addOption(
      new Option('--level <level>', 'of an institution that is admitted').choices([...institutionLevels]),
    )
    .option('--hosted-by <msp-id>', 'the centre that runs its peer, storage node and agent')
    .action((kind: 'admit' | 'exclude', mspId: string, options: Common & Proposal) =>
      connected(options.profile, async (connection) => {
        const { motion: motionId, reason, level, hostedBy } = options;
        if (kind === 'admit' && level === undefined)
          throw new ClientError('REQUEST_INVALID', 'admit needs --level.');
        const { institutions } = connection.institution();
        const made = await institutions.propose(
          kind === 'admit'
            ? {
                kind,
                motionId,
                reason,
                mspId,
                level: level ?? 'county',
                ...(hostedBy !== undefined && { hostedBy }),
              }
            : { kind, motionId, reason, mspId },
          { signal },
        );
        show(made, options.json, () => `${motionId} is ${made.state}; the members vote on it now.`);
      }),
    );
  command('vote <motion>', 'vote on a motion, once', 'vote admit-5 --approve')
    .option('--approve')
    .option('--reject')
    .action((motionId: string, options: Common & { approve?: boolean; reject?: boolean }) =>
      connected(options.profile, async (connection) => {
        if (Boolean(options.approve) === Boolean(options.reject))
          throw new ClientError('REQUEST_INVALID', 'write either --approve or --reject.');
        const { institutions } = connection.institution();
        await institutions.vote({ motionId, approve: Boolean(options.approve) }, { signal });
        const view = await institutions.motion({ motionId }, { signal });
        show(view, options.json, () => votesOf(view));
      }),
    );
  command('close <motion>', 'count the votes on a motion and do what was decided', 'close admit-5').action(
    (motionId: string, { profile, json }: Common) =>
      connected(profile, async (connection) => {
        const closed = await connection.institution().institutions.closeMotion({ motionId }, { signal });
        const { state, approvals, needed } = closed;
        show(
          closed,
          json,
          () => `${motionId} is ${state}: ${approvals ?? 0} approvals, ${needed ?? 0} needed.`,
        );
      }),
  );
  withExample(
    institution.command('found <members...>'),
    'institution found Hospital1MSP=municipal Hospital2MSP=county --agent ./agent',
  )
    .description('name the founding members, once: Hospital1MSP=municipal Hospital2MSP=county ...')
    .addOption(agentOption())
    .addOption(
      new Option('--rule <rule>', 'how many have to approve a motion')
        .choices([...votingRules])
        .default('majority'),
    )
    .option('--json', 'print it as JSON')
    .action((members: string[], { agent, rule, json }: AgentFlags & { rule: FoundConsortium['rule'] }) =>
      asInstitution(agent, signal, async (context) => {
        const founded = { members: members.map(seatOf), rule };
        await foundConsortium(context, founded);
        show(founded, json, () => `The consortium has ${members.length} founding members.`);
      }),
    );
  withExample(institution.command('enroll'), 'institution enroll --name "Hospital 1" --agent ./agent')
    .description("enter the own institution with the keys of its agent's folder")
    .addOption(agentOption())
    .requiredOption('--name <name>')
    .option('--json', 'print it as JSON')
    .action(({ agent, name, json }: AgentFlags & { name: string }) =>
      asInstitution(agent, signal, async (context) => {
        const entry = await enroll(context, { name });
        show(entry, json, () => `${entry.mspId} is enrolled: ${entry.level}, ${entry.status}.`);
      }),
    );
  withExample(institution.command('rotate'), 'institution rotate --agent ./agent')
    .description(
      "put the keys of the agent's folder in the place of the enrolled ones, after a vault was lost",
    )
    .addOption(agentOption())
    .option('--json', 'print it as JSON')
    .action(({ agent, json }: AgentFlags) =>
      asInstitution(agent, signal, async (context) => {
        const entry = await rotateKeys(context);
        show(entry, json, () => `${entry.mspId} signs and opens with the keys of ${agent} from now on.`);
      }),
    );
  return institution;
}

interface Proposal {
  motion: string;
  reason: string;
  level?: Level;
  hostedBy?: string;
}

function seatOf(text: string): FoundConsortium['members'][number] {
  const [mspId = '', written = 'municipal'] = text.split('=');
  const level = institutionLevels.find((known) => known === written);
  if (mspId === '' || !level)
    throw new ClientError(
      'REQUEST_INVALID',
      `${text}: write MSPID=level, with one of ${institutionLevels.join(', ')}.`,
    );
  return { mspId, level };
}

function lineOf({ motionId, state, content }: Motion): string[] {
  const who = 'mspId' in content ? content.mspId : content.researcherId;
  return [motionId, state, `${content.kind} ${who}`, content.reason];
}

function votesOf({ motionId, state, votes }: MotionView): string {
  const approvals = Object.values(votes).filter(({ approve }) => approve).length;
  return `${motionId} is ${state}: ${approvals} of ${Object.keys(votes).length} votes approve. "strokeshare institution close ${motionId}" counts them.`;
}

import { mayHoldKeys, openEpoch, type Epoch, type EpochView } from '@strokeshare/chaincode';
import { Command, InvalidArgumentError, Option } from 'commander';
import { allPages, allInstitutions, type AgentContext } from '../agent/context.js';
import { Resources } from '../resources.js';
import { openingFiles, type Opening } from './opening.js';
import { agentOption, profileOption, withExample } from './options.js';
import { print } from './print.js';

interface StartFlags {
  agent: string;
  set: 'additive' | 'standard' | 'deep';
  threshold?: number;
  members?: string[];
  retires?: string;
  stepSeconds?: number;
  json?: boolean;
}

const SETS = ['additive', 'standard', 'deep'] as const;

/** `strokeshare key ...`: the collective key's epochs. */
export function keyCommand(signal: AbortSignal, opening: Opening = openingFiles): Command {
  const key = new Command('key').description('the epochs of the collective key');

  withExample(key.command('start <epoch>'), 'key start epoch-2 --threshold 3 --agent hospital1')
    .description(
      "open a key epoch, or begin the next attempt of one that was aborted; the members' agents make the key",
    )
    .addOption(agentOption())
    .addOption(new Option('--set <name>', 'the parameter set').choices(SETS).default('standard'))
    .option('--threshold <number>', 'how many members release together; most of them unless given', whole)
    .option('--members <msp-ids...>', 'who holds a share; all active institutions that may unless given')
    .option('--retires <instant>', 'when it is retired, 2027-11-22T00:00:00Z')
    .option('--step-seconds <number>', 'how long each state of the ceremony may take', whole)
    .option('--json', 'print the epoch as JSON')
    .action(async (epochId: string, flags: StartFlags) => {
      await using resources = new Resources();
      const epoch = await start(await opening.agent(flags.agent, resources, signal), epochId, flags);
      print(flags, epoch, () => [
        `${epochId}: attempt ${epoch.attempt} is open; ${epoch.threshold} of ${epoch.members.length} will release together.`,
        `Every state has to be complete within ${epoch.stepSeconds} s; strokeshare key status ${epochId} shows how far it is.`,
      ]);
    });

  withExample(key.command('status [epoch]'), 'key status epoch-2 --profile hospital1/agent.json')
    .description('list the key epochs, or show one: whose word is missing, and what is left of its noise')
    .addOption(profileOption())
    .option('--json', 'print it as JSON')
    .action(async (epochId: string | undefined, flags: { profile: string; json?: boolean }) => {
      await using resources = new Resources();
      const { epochs } = await opening.auditor(flags.profile, resources);
      if (epochId !== undefined) {
        const view = await epochs.get({ epochId }, { signal });
        print(flags, view, () => statusText(view));
        return;
      }
      const all = await allPages((after) => epochs.list(after === undefined ? {} : { after }, { signal }));
      print(flags, all, () => (all.length > 0 ? all.map(lineOf) : ['There are no key epochs.']));
    });

  withExample(
    key.command('retire <epoch>'),
    'key retire epoch-1 --reason "All datasets have moved to epoch-2." --agent hospital1',
  )
    .description(
      'take an active key epoch out of use for good, running jobs included; all members forget their shares',
    )
    .addOption(agentOption())
    .requiredOption('--reason <sentence>', 'why; it stays on the ledger')
    .option('--json', 'print the epoch as JSON')
    .action(async (epochId: string, flags: { agent: string; reason: string; json?: boolean }) => {
      await using resources = new Resources();
      const { consortium } = await opening.agent(flags.agent, resources, signal);
      const epoch = await consortium.epochs.retire({ epochId, reason: flags.reason }, { signal });
      print(flags, epoch, () => [
        `${epochId} is ${epoch.state}: nothing is computed under its key any more.`,
      ]);
    });
  return key;
}

/** Opens an epoch; one of this id that was aborted gets its next attempt. */
async function start(
  context: AgentContext,
  epochId: string,
  { set, threshold, members, retires, stepSeconds }: StartFlags,
): Promise<Epoch> {
  const { consortium, signal } = context;
  const common = {
    epochId,
    ...(stepSeconds !== undefined && { stepSeconds }),
    ...(retires !== undefined && { retiresAt: retires }),
  };
  const all = await allPages((after) =>
    consortium.epochs.list(after === undefined ? {} : { after }, { signal }),
  );
  const known = all.find((epoch) => epoch.epochId === epochId);
  if (known?.state === 'ABORTED')
    return consortium.epochs.restart(
      { ...common, ...(threshold !== undefined && { threshold }), ...(members && { members }) },
      { signal },
    );
  const holders =
    members ??
    (await allInstitutions(context))
      .filter((one) => one.status === 'ACTIVE' && mayHoldKeys(one))
      .map(({ mspId }) => mspId);
  const most = Math.floor(holders.length / 2) + 1;
  return consortium.epochs.open(
    { ...common, parameterSet: set, threshold: threshold ?? most, members: holders },
    { signal },
  );
}

function lineOf({ epochId, state, attempt, parameterSet, threshold, members, retiresAt }: Epoch): string {
  return [
    epochId,
    state.padEnd(9),
    `attempt ${attempt}`,
    parameterSet,
    `${threshold} of ${members.join(', ')}`,
    retiresAt !== undefined && `until ${retiresAt}`,
  ]
    .filter(Boolean)
    .join('  ');
}

function statusText(view: EpochView): string[] {
  const { state, deadline, members, messages, confirmations, abort, budget } = view;
  const done = (labels: object | undefined): string =>
    members.filter((member) => labels && Object.hasOwn(labels, member)).join(', ') || 'nobody';
  const ongoing = !['ACTIVE', 'RETIRED', 'ABORTED'].includes(state);
  return [
    lineOf(view),
    ...(ongoing ? [`  has to be complete by ${deadline}`] : []),
    ...Object.entries(ongoing ? messages : {}).map(([label, sent]) => `  ${label}: ${done(sent)}`),
    ...(ongoing ? [`  confirmed: ${done(confirmations)}`] : []),
    ...(abort
      ? [
          `  ended by ${abort.by}: ${abort.reason}`,
          ...(abort.silent?.length ? [`  silent: ${abort.silent.join(', ')}`] : []),
          ...(abort.offenders ?? []).map(({ member, offence }) => `  at fault: ${member} (${offence})`),
        ]
      : []),
    `  flooding noise: ${budget.reserved} of ${budget.capacity} coefficients reserved${budget.exhausted ? '; it is used up' : ''}`,
  ];
}

function whole(text: string): number {
  const value = openEpoch.shape.threshold.or(openEpoch.shape.stepSeconds).safeParse(Number(text));
  if (!value.success) throw new InvalidArgumentError('must be a whole number.');
  return value.data;
}

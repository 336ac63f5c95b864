import { readFile } from 'node:fs/promises';
import type { VersionAttestation } from '@strokeshare/chaincode';
import { Command } from 'commander';
import {
  appendRecords,
  correctBatch,
  moveDataset,
  withdrawConsent,
  withdrawDataset,
  type AgentContext,
} from '../agent/index.js';
import { allPages } from '../agent/context.js';
import { ClientError } from '../errors.js';
import { Resources } from '../resources.js';
import { addTable, openLoad, wholeTable, type LoadChoice } from './dataset-table.js';
import { lineOf, showText, usesText, versionText } from './dataset-text.js';
import { openingFiles, type Opening } from './opening.js';
import { agentOption, profileOption, withExample, type AgentFlags } from './options.js';
import { print } from './print.js';
import { profileCommand } from './profile.js';

type LoadFlags = AgentFlags & LoadChoice;
interface ReadFlags {
  profile: string;
  json?: boolean;
}

/** `strokeshare dataset ...`: what an institution shares, from the first version to its withdrawal. */
export function datasetCommand(signal: AbortSignal, opening: Opening = openingFiles): Command {
  const dataset = new Command('dataset').description('the datasets that an institution shares');
  /** A command that acts as the institution. */
  const acting = (usage: string, description: string, example: string): Command =>
    withExample(
      dataset
        .command(usage)
        .description(description)
        .addOption(agentOption())
        .option('--json', 'print the outcome as JSON'),
      `dataset ${example} --agent hospital1`,
    );
  const reading = (usage: string, description: string, example: string): Command =>
    withExample(
      dataset
        .command(usage)
        .description(description)
        .addOption(profileOption())
        .option('--json', 'print it as JSON'),
      `dataset ${example} --profile hospital1/agent.json`,
    );
  const SKIP: [string, string] = [
    '--skip-rejected',
    'leave rows out that break a rule; else nothing is entered',
  ];

  const surroundings = { stream: process.stderr, signal };

  /** Runs a change of one dataset and prints the version that it made. */
  const changing = async (
    flags: AgentFlags,
    change: (context: AgentContext) => Promise<VersionAttestation>,
  ): Promise<void> => {
    await using resources = new Resources();
    const version = await change(await opening.agent(flags.agent, resources, signal));
    print(flags, version, () => [`${version.datasetId}: ${versionText(version)}`]);
  };

  acting('add <dataset> <table>', 'encrypt a table and share it as a new dataset', 'add ist.yaml records.csv')
    .option(...SKIP)
    .action((path: string, table: string, flags: LoadFlags) =>
      changing(flags, async (context) =>
        addTable(context, await openLoad(path, table, flags, surroundings), surroundings.stream),
      ),
    );
  acting('append <dataset> <table>', 'add the patients of another table', 'append ist.yaml more.csv')
    .option(...SKIP)
    .action((path: string, table: string, flags: LoadFlags) =>
      changing(flags, async (context) => {
        const load = await openLoad(path, table, flags, surroundings);
        return appendRecords(context, load.file.id, await wholeTable(load.table));
      }),
    );
  acting(
    'correct <dataset> <batch> <table>',
    'put a corrected table in the place of one batch',
    'correct ist.yaml batch-0001 corrected.csv',
  )
    .option(...SKIP)
    .action((path: string, batchId: string, table: string, flags: LoadFlags) =>
      changing(flags, async (context) => {
        const load = await openLoad(path, table, flags, surroundings);
        return correctBatch(context, { datasetId: load.file.id, batchId }, await wholeTable(load.table));
      }),
    );
  acting(
    'move <dataset-id> <epoch>',
    'encrypt a dataset again under the key of another epoch',
    'move ist-hospital1 epoch-2',
  ).action((datasetId: string, epochId: string, flags: AgentFlags) =>
    changing(flags, (context) => moveDataset(context, datasetId, epochId)),
  );
  acting(
    'consent <dataset-id>',
    'take out patients who withdrew their consent, and list the results that used their records',
    'consent ist-hospital1 --patients withdrawn.txt',
  )
    .requiredOption('--patients <file>', "the institution's own names of the patients, one a line")
    .action((datasetId: string, flags: AgentFlags & { patients: string }) =>
      consent(datasetId, flags, signal, opening),
    );
  acting(
    'withdraw <dataset-id>',
    'take a dataset out of all future use, running jobs included, and list the results that used it',
    'withdraw ist-hospital1 --reason "The study has ended."',
  )
    .requiredOption('--reason <sentence>', 'why; it stays on the ledger')
    .action(async (datasetId: string, flags: AgentFlags & { reason: string }) => {
      await using resources = new Resources();
      const context = await opening.agent(flags.agent, resources, signal);
      const outcome = await withdrawDataset(context, datasetId, flags.reason);
      print(flags, outcome, () => [
        `${datasetId} is withdrawn: nothing uses it any more.`,
        ...usesText(outcome.uses),
      ]);
    });

  reading('list', 'list the datasets of the consortium', 'list').action(async (flags: ReadFlags) => {
    await using resources = new Resources();
    const { datasets } = await opening.auditor(flags.profile, resources);
    const all = await allPages((after) => datasets.list(after === undefined ? {} : { after }, { signal }));
    print(flags, all, () => (all.length > 0 ? all.map(lineOf) : ['There are no datasets.']));
  });
  reading(
    'show <dataset-id>',
    'show a dataset, its versions and the jobs that used it',
    'show ist-hospital1',
  ).action(async (datasetId: string, flags: ReadFlags) => {
    await using resources = new Resources();
    const { datasets } = await opening.auditor(flags.profile, resources);
    const one = await datasets.get({ datasetId }, { signal });
    const versions = await allPages((after) =>
      datasets.listVersions({ datasetId, ...(after !== undefined && { after }) }, { signal }),
    );
    const uses = await allPages((after) =>
      datasets.listUses({ datasetId, ...(after !== undefined && { after }) }, { signal }),
    );
    print(flags, { ...one, versions, uses }, () => showText(one, versions, uses));
  });
  dataset.addCommand(profileCommand(signal));
  return dataset;
}

async function consent(
  datasetId: string,
  { agent, patients: path, ...flags }: AgentFlags & { patients: string },
  signal: AbortSignal,
  opening: Opening,
): Promise<void> {
  const names = await namesOf(path);
  await using resources = new Resources();
  const context = await opening.agent(agent, resources, signal);
  const { withdrawn, version, uses } = await withdrawConsent(context, datasetId, [...names.keys()]);
  const found = new Set(withdrawn);
  const missing = [...names].filter(([name]) => !found.has(name)).map(([, line]) => line);
  print(flags, { withdrawn, notFound: missing, version, uses }, () => [
    `${datasetId}: ${found.size} ${found.size === 1 ? 'patient' : 'patients'} taken out; ${versionText(version)}`,
    'No version before it is used any more, by running jobs neither.',
    ...usesText(uses),
  ]);
  if (missing.length === 0) return;
  process.stderr.write(`The dataset has no patient of the name in line ${missing.join(', ')} of ${path}.\n`);
  process.exitCode = 1;
}

/** Names with their lines. A name does not stand on the command line: shells and process lists keep those. */
async function namesOf(path: string): Promise<Map<string, number>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ClientError('FILE_MISSING', `The list of patients ${path} cannot be read.`, { cause });
  }
  const lines = text.split(/\r?\n/).map((name, index): [string, number] => [name.trim(), index + 1]);
  return new Map(lines.filter(([name]) => name !== ''));
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { roles, type Role } from '@strokeshare/chaincode';
import { Argument, Command } from 'commander';
import { makePrivateFolder, writePrivateFile } from '../agent/durable-file.js';
import { initAgent } from '../agent/index.js';
import { readProfileFolder, type ProfiledUser } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { initResearcher } from '../researcher/index.js';
import { withExample } from './options.js';
import { print } from './print.js';

interface Flags {
  profiles: string;
  name?: string;
  json?: boolean;
}

/** What a new institution's agent does by itself until somebody writes the file: nothing is signed without a person. */
const CAREFUL_POLICY = {
  ...{ minimumOwnCount: 5, dominancePercent: 10, purposes: [], minimumCohort: 20, releaseBudget: 200 },
  ...{ days: 90, jobs: 'automatic' as const, cellsPerJob: 200 },
};

/** `strokeshare init`: makes the folder that the other commands take, from what the network's operators handed out. */
export function initCommand(): Command {
  return withExample(
    new Command('init'),
    'init researcher ./me --profiles ./profiles',
    'init institution ./agent --profiles ./profiles --name hospital1',
  )
    .description(
      'make a folder with a profile for a role, from a folder of connection profiles and identities',
    )
    .addArgument(new Argument('<role>').choices([...roles]))
    .argument('<folder>')
    .requiredOption(
      '--profiles <folder>',
      'connection-<name>.json and identities/<name>/<user>/msp, as operators hand them out',
    )
    .option(
      '--name <name>',
      "the organisation's name in that folder; needed where several have such an identity",
    )
    .option('--json', 'print it as JSON')
    .action((role: Role, folder: string, flags: Flags) => init(role, resolve(folder), flags));
}

async function init(role: Role, folder: string, { profiles, name, json }: Flags): Promise<void> {
  if (existsSync(folder))
    throw new ClientError('PROFILE_INVALID', `${folder} is there already; choose another folder.`);
  const users = (await readProfileFolder(resolve(profiles))).withRole(role);
  const user = chosen(users, role, profiles, name);
  const { profile, lines } = await made(role, folder, user, users);
  print({ json: json ?? false }, { role, mspId: user.mspId, profile }, () => lines);
}

function chosen(
  users: readonly ProfiledUser[],
  role: Role,
  profiles: string,
  name: string | undefined,
): ProfiledUser {
  const fitting = users.filter((user) => name === undefined || user.name === name);
  const [user, other] = fitting;
  if (user && !other) return user;
  const known = users.map((one) => one.name).join(', ');
  throw new ClientError(
    'PROFILE_INVALID',
    user
      ? `${profiles} has identities with the role ${role} of ${known}: say which with --name.`
      : `${profiles} has no identity with the role ${role}${name === undefined ? '' : ` of ${name}`}${known && `; there are ${known}`}.`,
  );
}

/** Writes the folder and says what to do with it. */
async function made(
  role: Role,
  folder: string,
  user: ProfiledUser,
  users: readonly ProfiledUser[],
): Promise<{ profile: string; lines: string[] }> {
  if (role === 'researcher') {
    const path = await initResearcher(folder, { profiles: user.profilesOfEachPeer().slice(0, 2) });
    const lines = [
      `${path} connects you, ${user.mspId}, through two peers whose answers are compared.`,
      'Your key, which results are sealed to, will be in the vault beside it: keep a copy of the folder.',
      `Next: strokeshare researcher register --name "Your name" --affiliation "Your group" --profile ${path}`,
    ];
    return { profile: path, lines };
  }
  if (role === 'institution') {
    const others = users.filter(({ mspId }) => mspId !== user.mspId);
    await initAgent(folder, {
      profile: user.profile(),
      recordsChannel: `${user.name}-records`,
      storage: {
        folders: Object.fromEntries(others.map(({ mspId }) => [mspId, join(folder, 'peers', mspId)])),
      },
      policy: CAREFUL_POLICY,
    });
    const path = join(folder, 'agent.json');
    const lines = [
      `${path} connects the agent of ${user.mspId}. Enter the addresses of the storage nodes there, under "storage".`,
      `${join(folder, 'policy.yaml')} says what the agent does by itself; as it is, a person signs every agreement.`,
      `Next: strokeshare institution enroll --name "Your hospital" --agent ${folder}`,
      `Then: strokeshare agent ${folder}`,
    ];
    return { profile: path, lines };
  }
  await makePrivateFolder(folder);
  const path = join(folder, 'profile.json');
  await writePrivateFile(path, JSON.stringify(user.profile(), undefined, 2));
  const line = `${path} connects you, ${user.mspId}, as ${role}: give it to --profile, or set STROKESHARE_PROFILE to it.`;
  return { profile: path, lines: [line] };
}

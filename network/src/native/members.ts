import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelOptions } from '../embedded-options.js';
import { NetworkError } from '../errors.js';
import type { AdministratorCli } from './administrator.js';
import { administratorsOf, memberOrganization } from './channel-config.js';
import { isInForce, type ChannelChange, type OrganizationDefinition } from './channel-update.js';
import { joinPeer } from './channels.js';
import type { FabricCli } from './cli.js';
import { ordererHeights, untilHeight } from './readiness.js';
import {
  currentConfig,
  describeOrganization,
  fetchGenesisBlock,
  proposeUpdate,
  signUpdate,
  submitUpdate,
} from './update-steps.js';

const IN_FORCE_DEADLINE_MS = 30_000;

/**
 * Takes a channel from one membership to another as its members would, step by step with files that go from one to the
 * next: newcomers describe themselves, a member proposes, those who stay sign, the newcomers' peers join.
 */
export async function changeMembers(
  cli: FabricCli,
  before: ChannelOptions,
  after: ChannelOptions,
): Promise<void> {
  const added = after.members.filter((mspId) => !before.members.includes(mspId));
  const change: ChannelChange = {
    add: await Promise.all(added.map((mspId) => definitionOf(cli, mspId))),
    remove: before.members.filter((mspId) => !after.members.includes(mspId)),
    policies: {
      endorsement: after.endorsement,
      lifecycleEndorsement: after.lifecycleEndorsement ?? after.endorsement,
      admins: after.admins ?? administratorsOf(cli.config, after.members),
    },
  };
  const staying = cli.withPeers(before.members.filter((mspId) => after.members.includes(mspId)));
  await agree(staying, after.name, change);
  await Promise.all(
    added
      .flatMap((mspId) => cli.atEveryPeer(mspId))
      .map(async (admin) => {
        const block = join(admin.folder, `${after.name}.block`);
        await fetchGenesisBlock(admin, after.name, block);
        await joinPeer(admin, after.name, block);
      }),
  );
  const height = (await ordererHeights(cli)).get(after.name) ?? 0;
  const members = cli.withPeers(after.members).map(({ administrator }) => administrator.mspId);
  await untilHeight(cli, after.name, members, height);
}

/** The description that an organisation hands to the members of a channel which it is to join. */
export async function definitionOf(cli: FabricCli, mspId: string): Promise<OrganizationDefinition> {
  const { config, plan, fabric } = cli;
  const anchors = plan.peers
    .filter((peer) => peer.mspId === mspId)
    .map(({ port }) => ({ host: 'localhost', port }));
  const entry = memberOrganization(config, plan, mspId);
  return describeOrganization(
    fabric.programs,
    join(cli.as(mspId).folder, 'definition'),
    mspId,
    entry,
    anchors,
  );
}

/** The first proposes, every other one signs its copy and hands it on, the first submits; returns when it is in force. */
async function agree(
  admins: readonly AdministratorCli[],
  channel: string,
  change: ChannelChange,
): Promise<void> {
  const [first, ...others] = admins;
  if (!first) throw new NetworkError('ORGANIZATION_UNKNOWN', `Nobody is left on ${channel} who could agree.`);
  let file = join(first.folder, `${channel}-update.pb`);
  if (!(await proposeUpdate(first, channel, change, file))) return;
  for (const admin of others) {
    const copy = join(admin.folder, `${channel}-update.pb`);
    copyFileSync(file, copy);
    await signUpdate(admin, copy);
    file = copy;
  }
  await submitUpdate(first, channel, file);
  const end = performance.now() + IN_FORCE_DEADLINE_MS;
  while (!isInForce(await currentConfig(first, channel), change)) {
    if (performance.now() > end)
      throw new NetworkError(
        'FABRIC_COMMAND_FAILED',
        `The change of ${channel} was submitted but is not in force.`,
      );
    await delay(100);
  }
}

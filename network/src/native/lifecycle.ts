import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ChaincodeDeployment } from '../embedded-options.js';
import { NetworkError } from '../errors.js';
import { packChaincodeService } from './chaincode-package.js';
import type { FabricCli } from './cli.js';

/*
 * Fabric's chaincode lifecycle, step by step as the `peer` program offers it. Every step is one organisation's own;
 * only the commit asks several at once.
 */

/** A definition that a channel has committed. */
export interface CommittedDefinition {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
}

const definitionSchema = z.object({ name: z.string(), version: z.string().default(''), sequence: z.int() });
const listSchema = z.object({ chaincode_definitions: z.array(definitionSchema).default([]) });
const readinessSchema = z.object({ approvals: z.record(z.string(), z.boolean()) });
const installedSchema = z.object({
  installed_chaincodes: z.array(z.object({ package_id: z.string() })).default([]),
});

const approvedSchema = z.object({
  sequence: z.int(),
  source: z.object({
    Type: z.object({ LocalPackage: z.object({ package_id: z.string() }).optional() }).optional(),
  }),
});

/** Definitions committed on a channel, asked of one organisation's peer. */
export async function committedDefinitions(
  cli: FabricCli,
  mspId: string,
  channel: string,
): Promise<CommittedDefinition[]> {
  const output = await cli.peer(mspId, [
    'lifecycle',
    'chaincode',
    'querycommitted',
    '-C',
    channel,
    '-O',
    'json',
  ]);
  return listSchema.parse(JSON.parse(output)).chaincode_definitions;
}

/**
 * Installs an organisation's package on its peer, unless it is there.
 * @throws NetworkError CHAINCODE_INVALID when label and address do not give the package id.
 */
export async function installPackage(
  cli: FabricCli,
  mspId: string,
  service: { readonly address: string; readonly packageId: string },
): Promise<void> {
  const label = service.packageId.slice(0, service.packageId.lastIndexOf(':'));
  const { bytes, packageId } = await packChaincodeService({ label, address: service.address });
  if (packageId !== service.packageId) {
    throw new NetworkError(
      'CHAINCODE_INVALID',
      `The package of ${label} at ${service.address} has the id ${packageId}, not ${service.packageId}.`,
    );
  }
  await cli.once(`install ${mspId} ${packageId}`, async () => {
    const installed = installedSchema.parse(
      JSON.parse(await cli.peer(mspId, ['lifecycle', 'chaincode', 'queryinstalled', '-O', 'json'])),
    );
    if (installed.installed_chaincodes.some((candidate) => candidate.package_id === packageId)) return;
    const folder = join(cli.paths.node(cli.peerOf(mspId).name), 'packages');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${packageId.replace(':', '.')}.tar.gz`);
    writeFileSync(file, bytes);
    await cli.peer(mspId, ['lifecycle', 'chaincode', 'install', file]);
  });
}

/** Approves a definition for one organisation and waits until its peer has the approval on its ledger. */
export async function approveDefinition(
  cli: FabricCli,
  mspId: string,
  channel: string,
  deployment: ChaincodeDeployment,
): Promise<void> {
  const packageId = deployment.organizations[mspId]?.packageId;
  await cli.peer(mspId, [
    ...['lifecycle', 'chaincode', 'approveformyorg', ...cli.ordererFlags()],
    ...definitionFlags(channel, deployment),
    ...(packageId === undefined ? [] : ['--package-id', packageId]),
  ]);
}

/** Installs an organisation's package and approves it for the definition in force, unless both were done. */
export async function installApproved(
  cli: FabricCli,
  mspId: string,
  channel: string,
  deployment: ChaincodeDeployment,
): Promise<void> {
  const service = deployment.organizations[mspId];
  if (!service) return;
  await installPackage(cli, mspId, service);
  if ((await approvedPackage(cli, mspId, channel, deployment)) === service.packageId) return;
  await approveDefinition(cli, mspId, channel, deployment);
}

/** The package that an organisation approved for a definition; undefined when it has not approved it. */
async function approvedPackage(
  cli: FabricCli,
  mspId: string,
  channel: string,
  { name, sequence }: ChaincodeDeployment,
): Promise<string | undefined> {
  let output: string;
  try {
    output = await cli.peer(mspId, [
      ...['lifecycle', 'chaincode', 'queryapproved', '-O', 'json'],
      ...['-C', channel, '-n', name, '--sequence', String(sequence)],
    ]);
  } catch {
    // The peer answers with an error where there is no approval.
    return undefined;
  }
  return approvedSchema.parse(JSON.parse(output)).source.Type?.LocalPackage?.package_id;
}

/** Which organisations of a channel have approved exactly this definition. */
export async function readiness(
  cli: FabricCli,
  mspId: string,
  channel: string,
  deployment: ChaincodeDeployment,
): Promise<Record<string, boolean>> {
  const output = await cli.peer(mspId, [
    ...['lifecycle', 'chaincode', 'checkcommitreadiness', '-O', 'json'],
    ...definitionFlags(channel, deployment),
  ]);
  return readinessSchema.parse(JSON.parse(output)).approvals;
}

/** Commits a definition, endorsed by the peers of these organisations, and waits until each has it. */
export async function commitDefinition(
  cli: FabricCli,
  endorsers: readonly string[],
  channel: string,
  deployment: ChaincodeDeployment,
): Promise<void> {
  const [first] = endorsers;
  if (first === undefined)
    throw new NetworkError('ORGANIZATION_UNKNOWN', 'No organisation with a peer is left.');
  await cli.peer(first, [
    ...['lifecycle', 'chaincode', 'commit', ...cli.ordererFlags()],
    ...definitionFlags(channel, deployment),
    ...cli.peerFlags(endorsers),
  ]);
}

/** Installs, approves for every organisation with a peer on the channel, checks and commits. */
export async function defineChaincode(
  cli: FabricCli,
  channel: { readonly name: string; readonly members: readonly string[] },
  deployment: ChaincodeDeployment,
): Promise<void> {
  const withPeers = channel.members.filter((mspId) => cli.plan.peers.some((peer) => peer.mspId === mspId));
  await Promise.all(
    withPeers.map(async (mspId) => {
      const service = deployment.organizations[mspId];
      if (service) await installPackage(cli, mspId, service);
      await approveDefinition(cli, mspId, channel.name, deployment);
    }),
  );
  const approvals = await readiness(cli, withPeers[0] ?? '', channel.name, deployment);
  const missing = withPeers.filter((mspId) => approvals[mspId] !== true);
  if (missing.length > 0) {
    throw new NetworkError(
      'DEFINITION_REFUSED',
      `${missing.join(', ')} approved another definition of ${deployment.name} on ${channel.name}.`,
    );
  }
  await commitDefinition(cli, withPeers, channel.name, deployment);
}

function definitionFlags(channel: string, deployment: ChaincodeDeployment): string[] {
  const { name, version, sequence, endorsementPolicy } = deployment;
  return [
    ...['--channelID', channel, '--name', name, '--version', version, '--sequence', String(sequence)],
    ...policyFlags(endorsementPolicy),
  ];
}

/** Without a policy of its own a definition refers to the channel's, by name. */
function policyFlags(policy: string | undefined): string[] {
  if (policy === undefined) return ['--channel-config-policy', '/Channel/Application/Endorsement'];
  if (policy.startsWith('/')) return ['--channel-config-policy', policy];
  if (/^\s*(ANY|ALL|MAJORITY)\s/.test(policy)) {
    throw new NetworkError(
      'CHAINCODE_INVALID',
      `A real network takes "${policy.trim()}" only as a policy of the channel: name it by its path, or write a signature policy.`,
    );
  }
  return ['--signature-policy', policy];
}

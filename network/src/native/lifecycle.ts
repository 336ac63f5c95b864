import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ChaincodeDeployment } from '../embedded-options.js';
import { NetworkError } from '../errors.js';
import type { AdministratorCli, Server } from './administrator.js';
import type { ChaincodePackage } from '../operations/chaincodePackage.js';

/*
 * Fabric's chaincode lifecycle as the `peer` program offers it. Every step is one organisation's own; only the commit
 * asks the peers of several at once.
 */

const LIFECYCLE = ['lifecycle', 'chaincode'] as const;

/** A definition that a channel has committed. */
export interface CommittedDefinition {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
}

/** What organisations agree on when they define a chaincode. */
export type Definition = Omit<ChaincodeDeployment, 'organizations'>;

const definitionSchema = z.object({ name: z.string(), version: z.string().default(''), sequence: z.int() });
const listSchema = z.object({ chaincode_definitions: z.array(definitionSchema).default([]) });
const readinessSchema = z.object({ approvals: z.record(z.string(), z.boolean()) });
const installedSchema = z.object({
  installed_chaincodes: z.array(z.object({ package_id: z.string() })).default([]),
});
const approvedSchema = z.object({
  source: z.object({
    Type: z.object({ LocalPackage: z.object({ package_id: z.string() }).optional() }).optional(),
  }),
});

/** Definitions committed on a channel, as the own peer knows them. */
export async function committedDefinitions(
  admin: AdministratorCli,
  channel: string,
): Promise<CommittedDefinition[]> {
  const output = await admin.peer([...LIFECYCLE, 'querycommitted', '-C', channel, '-O', 'json']);
  return listSchema.parse(JSON.parse(output)).chaincode_definitions;
}

/** Keeps a package for the own peer, readable by its administrator alone: it may hold a private key. */
export function keepPackage(admin: AdministratorCli, { packageId, bytes }: ChaincodePackage): void {
  const file = packageFile(admin, packageId);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, bytes, { mode: 0o600 });
}

/** Installs a package that was kept on the own peer, unless it is there. */
export async function installPackage(admin: AdministratorCli, packageId: string): Promise<void> {
  await admin.once(`install ${packageId}`, async () => {
    const installed = installedSchema.parse(
      JSON.parse(await admin.peer([...LIFECYCLE, 'queryinstalled', '-O', 'json'])),
    );
    if (installed.installed_chaincodes.some((candidate) => candidate.package_id === packageId)) return;
    await admin.peer([...LIFECYCLE, 'install', packageFile(admin, packageId)]);
  });
}

function packageFile(admin: AdministratorCli, packageId: string): string {
  return join(admin.folder, 'packages', `${packageId.replace(':', '.')}.tar.gz`);
}

/** Approves a definition for the own organisation and waits until the own peer has the approval on its ledger. */
export async function approveDefinition(
  admin: AdministratorCli,
  channel: string,
  definition: Definition,
  packageId?: string,
): Promise<void> {
  await admin.peer([
    ...[...LIFECYCLE, 'approveformyorg', ...admin.ordererFlags],
    ...definitionFlags(channel, definition),
    ...(packageId === undefined ? [] : ['--package-id', packageId]),
  ]);
}

/** Installs the own package and approves it for the definition in force, unless both were done. */
export async function installApproved(
  admin: AdministratorCli,
  channel: string,
  definition: Definition,
  packageId: string,
): Promise<void> {
  await installPackage(admin, packageId);
  if ((await approvedPackage(admin, channel, definition)) === packageId) return;
  await approveDefinition(admin, channel, definition, packageId);
}

/** The package that the own organisation approved for a definition; undefined when it has not approved it. */
async function approvedPackage(
  admin: AdministratorCli,
  channel: string,
  { name, sequence }: Definition,
): Promise<string | undefined> {
  let output: string;
  try {
    output = await admin.peer([
      ...[...LIFECYCLE, 'queryapproved', '-O', 'json'],
      ...['-C', channel, '-n', name, '--sequence', String(sequence)],
    ]);
  } catch {
    // The peer answers with an error where there is no approval.
    return undefined;
  }
  return approvedSchema.parse(JSON.parse(output)).source.Type?.LocalPackage?.package_id;
}

/**
 * Which organisations of a channel have approved exactly this definition, before its commit and, for those who come
 * late, after it.
 */
export async function approvalsOf(
  admin: AdministratorCli,
  channel: string,
  definition: Definition,
): Promise<Record<string, boolean>> {
  const { name, sequence } = definition;
  const committed = await committedDefinitions(admin, channel);
  if (!committed.some((other) => other.name === name && other.sequence === sequence))
    return readiness(admin, channel, definition);
  const output = await admin.peer([...LIFECYCLE, 'querycommitted', '-C', channel, '-n', name, '-O', 'json']);
  return readinessSchema.parse(JSON.parse(output)).approvals;
}

/** Which organisations have approved a definition that is not committed yet. */
async function readiness(
  admin: AdministratorCli,
  channel: string,
  definition: Definition,
): Promise<Record<string, boolean>> {
  const output = await admin.peer([
    ...[...LIFECYCLE, 'checkcommitreadiness', '-O', 'json'],
    ...definitionFlags(channel, definition),
  ]);
  return readinessSchema.parse(JSON.parse(output)).approvals;
}

/** Commits a definition, endorsed by these peers, and waits until each has it. */
export async function commitDefinition(
  admin: AdministratorCli,
  channel: string,
  definition: Definition,
  endorsers: readonly Server[],
): Promise<void> {
  await admin.peer([
    ...[...LIFECYCLE, 'commit', ...admin.ordererFlags],
    ...definitionFlags(channel, definition),
    ...endorsers.flatMap(({ address, tlsCa }) => ['--peerAddresses', address, '--tlsRootCertFiles', tlsCa]),
  ]);
}

/**
 * The whole lifecycle where the administrators of all members with peers are at hand: install, approve, check, commit.
 * @throws NetworkError DEFINITION_REFUSED naming who approved something else
 */
export async function defineChaincode(
  admins: readonly AdministratorCli[],
  channel: string,
  { organizations, ...definition }: ChaincodeDeployment,
): Promise<void> {
  await Promise.all(
    admins.map(async (admin) => {
      const packageId = organizations[admin.administrator.mspId]?.packageId;
      if (packageId !== undefined) await installPackage(admin, packageId);
      await approveDefinition(admin, channel, definition, packageId);
    }),
  );
  const [first] = admins;
  if (!first) throw new NetworkError('ORGANIZATION_UNKNOWN', `No member of ${channel} runs a peer.`);
  const approvals = await readiness(first, channel, definition);
  const missing = admins.map(({ administrator }) => administrator.mspId).filter((mspId) => !approvals[mspId]);
  if (missing.length > 0) {
    throw new NetworkError(
      'DEFINITION_REFUSED',
      `${missing.join(', ')} approved another definition of ${definition.name} on ${channel}.`,
    );
  }
  const endorsers = admins.map((admin) => admin.ownPeer);
  await commitDefinition(first, channel, definition, endorsers);
}

function definitionFlags(
  channel: string,
  { name, version, sequence, endorsementPolicy }: Definition,
): string[] {
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

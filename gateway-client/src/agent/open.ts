import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FoundConsortium, type Institution } from '@strokeshare/chaincode';
import { canonicalJson } from '@strokeshare/fhe';
import { FileBlobStore, InternalClient, type ZoneEndpoint } from '@strokeshare/storage-node';
import { z } from 'zod';
import {
  connectionProfile,
  connectLedger,
  institutionClient,
  LedgerError,
  recordsClient,
  type Ledger,
  type LedgerEvents,
} from '../connect/index.js';
import { ClientError } from '../errors.js';
import { readShapedFile } from '../named-file.js';
import { allInstitutions, type AgentContext, type AgentEvent } from './context.js';
import { makePrivateFolder, writePrivateFile } from './durable-file.js';
import type { Evaluators } from './evaluators.js';
import { openKeys } from './keys.js';
import { VaultOriginals, ZoneOriginals } from './originals.js';
import { FolderPeerBlobs, ZonePeerBlobs } from './peer-blobs.js';
import { FilePolicy, writePolicyFile } from './policy-file.js';
import { policyBounds } from './policy.js';
import { Vault } from './vault.js';

/** Where a zone of a storage node is. */
const zoneAddress = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  /** Name in its TLS certificate, and the authority (PEM file) that issued that. */
  serverName: z.string().min(1),
  authority: z.string().min(1),
});
export type ZoneAddress = z.infer<typeof zoneAddress>;

const agentConfig = z.strictObject({
  /** How the agent connects to its institution's peer. */
  profile: connectionProfile,
  /** The institution's private channel. */
  recordsChannel: z.string().min(1),
  /** The own internal zone, and the external zone of every other institution by MSP ID. */
  storage: z.union([
    z.strictObject({ internal: zoneAddress, external: z.record(z.string(), zoneAddress) }),
    /** Experiments on one machine: no storage nodes, the store folder of every other institution. */
    z.strictObject({ folders: z.record(z.string(), z.string()) }),
  ]),
});
/** What an agent's folder is set up with: its configuration, and the institution's policy. */
export type AgentConfig = z.input<typeof agentConfig> & { policy: z.input<typeof policyBounds> };

const CONFIG_FILE = 'agent.json';
/** A file of its own: people of the institution write it. */
const POLICY_FILE = 'policy.yaml';

/** The store of an agent that works without a storage node. */
export function storeFolderOf(agentFolder: string): string {
  return join(agentFolder, 'store');
}

/** Sets up the folder of an institution's agent: readable by its owner alone. */
export async function initAgent(folder: string, { policy, ...config }: AgentConfig): Promise<void> {
  const [checked, bounds] = [agentConfig.parse(config), policyBounds.parse(policy)];
  await makePrivateFolder(folder);
  await writePrivateFile(join(folder, CONFIG_FILE), JSON.stringify(checked, undefined, 2));
  await writePolicyFile(join(folder, POLICY_FILE), bounds);
}

/** What an agent is opened with besides its folder. */
export interface AgentSurroundings {
  evaluators: Evaluators;
  signal: AbortSignal;
  report: (event: AgentEvent) => void;
}

/** An opened agent: its context, and the events that wake it. */
export interface Agent extends Disposable {
  readonly context: AgentContext;
  readonly events: LedgerEvents;
}

/**
 * Opens the agent of a folder.
 *
 * @throws ClientError `PROFILE_INVALID`, `POLICY_INVALID`, `KEY_FILE_INVALID`.
 */
export async function openAgent(folder: string, surroundings: AgentSurroundings): Promise<Agent> {
  const config = await readConfig(join(folder, CONFIG_FILE));
  const policy = await FilePolicy.open(join(folder, POLICY_FILE));
  const vault = await Vault.open(join(folder, 'vault'), join(folder, 'vault.key'));
  const keys = await openKeys(vault);
  const { store, originals, peers, close } = await openStorage(folder, config, vault, surroundings.signal);
  const ledger: Ledger = await connectLedger(config.profile);
  const context: AgentContext = {
    mspId: config.profile.mspId,
    consortium: institutionClient(ledger),
    records: recordsClient(ledger, config.recordsChannel),
    store,
    originals,
    peers,
    vault,
    keys,
    policy,
    ceremonies: new Map(),
    evaluations: new Map(),
    replays: new Map(),
    agreements: new Map(),
    releases: new Map(),
    setAside: new Map(),
    expected: new Map(),
    waiting: new Map(),
    ownColumns: new Map(),
    ...surroundings,
  };
  return {
    context,
    events: ledger.events('consortium', 'consortium', { from: 'now' }),
    [Symbol.dispose]() {
      for (const { ceremony } of context.ceremonies.values()) ceremony[Symbol.dispose]();
      close();
      ledger[Symbol.dispose]();
    },
  };
}

/** Connects to the storage nodes by the identity that is enrolled on the ledger. */
async function openStorage(
  folder: string,
  { profile, storage }: z.output<typeof agentConfig>,
  vault: Vault,
  signal: AbortSignal,
): Promise<Pick<AgentContext, 'store' | 'originals' | 'peers'> & { close: () => void }> {
  if ('folders' in storage) {
    const store = await FileBlobStore.open(storeFolderOf(folder));
    const peers = new FolderPeerBlobs(storage.folders);
    return { store, peers, originals: new VaultOriginals(vault), close: () => peers[Symbol.dispose]() };
  }
  const read = (path: string): Promise<string> =>
    readFile(path, 'utf8').catch((cause: unknown) => {
      throw new ClientError('PROFILE_INVALID', `The file ${path} cannot be read.`, { cause });
    });
  const { certPath, keyPath } = profile;
  if (keyPath === undefined)
    throw new ClientError('PROFILE_INVALID', 'An agent shows its storage node a key: keyPath is missing.');
  const [certificate, key] = await Promise.all([read(certPath), read(keyPath)]);
  const endpointOf = async ({ authority, ...place }: ZoneAddress): Promise<ZoneEndpoint> => ({
    ...place,
    authority: await read(authority),
    certificate,
    key,
  });
  const external = await Promise.all(
    Object.entries(storage.external).map(async ([mspId, address]): Promise<[string, ZoneEndpoint]> => [
      mspId,
      await endpointOf(address),
    ]),
  );
  const store = new InternalClient(await endpointOf(storage.internal));
  const peers = new ZonePeerBlobs(Object.fromEntries(external), signal);
  return {
    store,
    peers,
    originals: new ZoneOriginals(store),
    close: () => [store, peers].forEach((resource) => resource[Symbol.dispose]()),
  };
}

/**
 * Makes sure that the consortium is founded as this institution knows it: founds it where it is not yet.
 *
 * @throws ClientError `POLICY_REFUSED` when somebody founded it with other members or by another rule.
 */
export async function foundConsortium(
  { consortium, signal }: AgentContext,
  founding: FoundConsortium,
): Promise<void> {
  const { members, rule } = await consortium.institutions.seats({}, { signal }).catch((error: unknown) => {
    if (!(error instanceof LedgerError && error.contractCode === 'NOT_FOUND')) throw error;
    return consortium.institutions.found(founding, { signal });
  });
  if (canonicalJson({ members, rule }) !== canonicalJson(founding)) {
    throw new ClientError('POLICY_REFUSED', 'The consortium was founded with other members or another rule.');
  }
}

/**
 * Enters the institution on the consortium channel, with its keys; nothing is done where it is entered already.
 *
 * @throws ClientError `KEY_FILE_INVALID` where it is entered with other keys.
 */
export async function enroll(context: AgentContext, { name }: { name: string }): Promise<Institution> {
  const known = await enrolled(context);
  if (known) return known;
  return context.consortium.institutions.enroll(
    { name, ...publicKeysOf(context) },
    { signal: context.signal },
  );
}

/**
 * The institution's own entry, where there is one.
 *
 * @throws ClientError `KEY_FILE_INVALID` where it is entered with other keys: an agent with another vault would answer
 *   with keys that nobody expects.
 */
export async function enrolled(context: AgentContext): Promise<Institution | undefined> {
  const entry = (await allInstitutions(context)).find(({ mspId }) => mspId === context.mspId);
  if (!entry || entry.signingKey.trim() === context.keys.signing.publicKeyPem.trim()) return entry;
  throw new ClientError(
    'KEY_FILE_INVALID',
    `${context.mspId} is enrolled with other keys than those of this agent's vault: use the folder that it was enrolled from, or "strokeshare institution rotate".`,
  );
}

/** Puts the keys of this agent's vault in the place of the enrolled ones, which may be lost; the identity stays. */
export function rotateKeys(context: AgentContext): Promise<Institution> {
  return context.consortium.institutions.rotateKeys(publicKeysOf(context), { signal: context.signal });
}

function publicKeysOf({ keys }: AgentContext): { signingKey: string; sealingKey: string } {
  return {
    signingKey: keys.signing.publicKeyPem,
    sealingKey: Buffer.from(keys.sealing.publicKey).toString('base64'),
  };
}

function readConfig(path: string): Promise<z.output<typeof agentConfig>> {
  const file = { what: "The agent's configuration", code: 'PROFILE_INVALID', form: 'JSON' } as const;
  return readShapedFile(path, file, agentConfig);
}

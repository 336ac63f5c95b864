import { dirname, join } from 'node:path';
import type { SealingKeyPair } from '@strokeshare/fhe';
import { z } from 'zod';
import { makePrivateFolder, writePrivateFile } from '../agent/durable-file.js';
import { openSealingKey } from '../agent/keys.js';
import { Vault } from '../agent/vault.js';
import {
  connectionProfile,
  connectLedger,
  researcherClient,
  type ConnectionProfile,
  type Ledger,
  type LedgerEvents,
  type ResearcherClient,
} from '../connect/index.js';
import { readShapedFile } from '../named-file.js';

const researcherConfig = z.strictObject({
  /** The same identity through one peer or more; what is read is compared between them. */
  profiles: z.array(connectionProfile).min(1),
});
/** What a researcher's folder is set up with. */
export type ResearcherConfig = z.infer<typeof researcherConfig>;

/** A researcher at work. */
export interface ResearcherContext {
  /** Submits, and reads where one peer's word is enough; through whichever of the peers can be reached. */
  readonly client: ResearcherClient;
  /** One client per peer; results are read from all of them. */
  readonly readers: readonly ResearcherClient[];
  readonly keys: SealingKeyPair;
  readonly events: LedgerEvents;
  readonly signal: AbortSignal;
}

/** An opened researcher; dispose of it to close the connections. */
export type Researcher = ResearcherContext & Disposable;

/** Sets up a researcher's folder and returns the path of its profile, which {@link openResearcher} takes. */
export async function initResearcher(folder: string, config: ResearcherConfig): Promise<string> {
  await makePrivateFolder(folder);
  const path = join(folder, 'researcher.json');
  await writePrivateFile(path, JSON.stringify(researcherConfig.parse(config), undefined, 2));
  return path;
}

/**
 * Opens a researcher's profile; the key that results are sealed to lies in the vault beside it.
 *
 * @throws ClientError `PROFILE_INVALID`, `KEY_FILE_INVALID`.
 */
export async function openResearcher(profilePath: string, signal: AbortSignal): Promise<Researcher> {
  const folder = dirname(profilePath);
  const { profiles } = await readConfig(profilePath);
  const vault = await Vault.open(join(folder, 'vault'), join(folder, 'vault.key'));
  const keys = await openSealingKey(vault);
  const [first, ...others] = profiles;
  if (!first) throw new TypeError('a researcher connects to a peer');
  const ledger = await connectLedger(standingOn(first, others));
  // Each of these has its own peer's word only: what they read is compared.
  const readers: Ledger[] = [];
  for (const { alternatives: _, ...profile } of profiles) readers.push(await connectLedger(profile));
  return {
    client: researcherClient(ledger),
    readers: readers.map((reader) => researcherClient(reader)),
    keys,
    events: ledger.events('consortium', 'consortium', { from: 'now' }),
    signal,
    [Symbol.dispose]() {
      for (const opened of [ledger, ...readers]) opened[Symbol.dispose]();
    },
  };
}

/** The first profile, with the peers of the others standing in for its own. */
function standingOn(first: ConnectionProfile, others: readonly ConnectionProfile[]): ConnectionProfile {
  const more = others.map(({ peerEndpoint, peerHostAlias, tlsCaCertPath, tlsCaCertPem }) => ({
    ...{ peerEndpoint, peerHostAlias, tlsCaCertPath, tlsCaCertPem },
  }));
  return { ...first, alternatives: [...(first.alternatives ?? []), ...more] };
}

function readConfig(path: string): Promise<ResearcherConfig> {
  const file = { what: "The researcher's profile", code: 'PROFILE_INVALID', form: 'JSON' } as const;
  return readShapedFile(path, file, researcherConfig);
}

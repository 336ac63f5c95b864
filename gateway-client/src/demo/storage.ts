/** The storage nodes of the demo: four internal zones in one process, four external ones in another. */
import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import {
  clientProfile,
  isRunning,
  killGroup,
  peerOrganizationPaths,
  waitForExit,
} from '@strokeshare/network';
import {
  CONFIG_FILE,
  externalConfig,
  internalConfig,
  verifyZone,
  ZoneLedger,
  type LedgerProfile,
} from '@strokeshare/storage-node';
import type { ZoneAddress } from '../agent/index.js';
import { makePrivateFolder, writePrivateFile } from '../agent/durable-file.js';
import { ClientError } from '../errors.js';
import { GATE_USER, HOSPITALS, RESEARCH, STORAGE_USER } from './consortium.js';
import { findDemo, noteZones, type DemoPaths } from './state.js';

type Hospital = (typeof HOSPITALS)[number];

const HOST = '127.0.0.1';
/** Above the ports of the network itself. */
const FIRST_PORT = 900;
const DEADLINE_MS = 15_000;

const portsOf = (basePort: number, index: number): Record<'internal' | 'read' | 'publish', number> => {
  const first = basePort + FIRST_PORT + 3 * index;
  return { internal: first, read: first + 1, publish: first + 2 };
};
const folderOf = (paths: DemoPaths, mspId: string, zone: 'internal' | 'external'): string =>
  join(paths.storage, mspId, zone);

function hospitalOf(mspId: string): { hospital: Hospital; index: number } {
  const index = HOSPITALS.findIndex((hospital) => hospital.mspId === mspId);
  const hospital = HOSPITALS[index];
  if (!hospital) throw new TypeError(`${mspId} is no hospital of the demo`);
  return { hospital, index };
}

/** Where the zones of a hospital are, for agents. */
export function zoneAddresses(
  paths: DemoPaths,
  basePort: number,
  mspId: string,
): Record<'internal' | 'external' | 'publish', ZoneAddress> {
  const { hospital, index } = hospitalOf(mspId);
  const tree = peerOrganizationPaths(paths.network, hospital.domain);
  const ports = portsOf(basePort, index);
  const at = (port: number, user: string): ZoneAddress => ({
    host: HOST,
    port,
    serverName: `${user}.${hospital.domain}`,
    authority: tree.tlsCaCertificate,
  });
  return {
    internal: at(ports.internal, STORAGE_USER),
    external: at(ports.read, GATE_USER),
    publish: at(ports.publish, GATE_USER),
  };
}

/** Writes the configurations of all zones and starts them; returns when all of them serve. */
export async function startZones(paths: DemoPaths, basePort: number): Promise<void> {
  for (const hospital of HOSPITALS) await writeConfigs(paths, basePort, hospital);
  const children = (['external', 'internal'] as const).map((zone) =>
    start(
      paths,
      zone,
      HOSPITALS.map(({ mspId }) => folderOf(paths, mspId, zone)),
    ),
  );
  await noteZones(
    paths,
    children.flatMap(({ pid }) => pid ?? []),
  );
  await Promise.all(children.map((child) => served(paths, child)));
}

/** Ends the zones that the demo started: the external ones first, so that the internal ones note their ends. */
export async function endZones(paths: DemoPaths): Promise<void> {
  const found = await findDemo(paths);
  for (const zone of ('state' in found && found.state?.zones) || []) {
    if (!isRunning(zone)) continue;
    process.kill(zone.pid, 'SIGTERM');
    if (!(await waitForExit(zone, DEADLINE_MS))) killGroup(zone);
  }
}

/**
 * Ends the zones and compares their journals and objects with the anchors on the private channels.
 *
 * @returns a sentence.
 * @throws ClientError `DEMO_DIFFERS`.
 */
export async function verifyZones(paths: DemoPaths): Promise<string> {
  await endZones(paths);
  const reports = await Promise.all(
    HOSPITALS.map(async ({ mspId, recordsChannel }) => {
      using ledger = await ZoneLedger.connect(profileOf(paths, mspId, STORAGE_USER));
      const anchors = await ledger.records(recordsChannel).anchors();
      const external = { folder: folderOf(paths, mspId, 'external'), mspId };
      return verifyZone(folderOf(paths, mspId, 'internal'), anchors, external);
    }),
  );
  const [finding] = reports.flatMap(({ findings }) => findings);
  if (finding) throw new ClientError('DEMO_DIFFERS', `A storage node differs: ${finding.sentence}`);
  const unproven = reports.filter(({ proven, head }) => proven?.sequence !== head.sequence);
  if (unproven.length > 0)
    throw new ClientError(
      'DEMO_DIFFERS',
      'The last entry of a journal is not anchored on its private channel.',
    );
  const sum = (of: 'entries' | 'objects'): number => reports.reduce((total, one) => total + one[of], 0);
  return `The storage nodes verify: ${sum('objects')} objects and ${sum('entries')} journal entries, anchored on the private channels up to the last.`;
}

const profileOf = (paths: DemoPaths, mspId: string, user: string): LedgerProfile =>
  clientProfile(paths.network, mspId, user);

async function writeConfigs(paths: DemoPaths, basePort: number, { mspId, domain, recordsChannel }: Hospital) {
  const { index } = hospitalOf(mspId);
  const ports = portsOf(basePort, index);
  const tree = peerOrganizationPaths(paths.network, domain);
  const [storage, gate] = [tree.user(STORAGE_USER), tree.user(GATE_USER)];
  const members = Object.fromEntries(
    [...HOSPITALS, RESEARCH].map((organization) => [
      organization.mspId,
      peerOrganizationPaths(paths.network, organization.domain).msp,
    ]),
  );
  const subject = new X509Certificate(await readFile(storage.msp.certificate)).subject.replaceAll('\n', ',');
  const external = externalConfig.parse({
    zone: 'external',
    mspId,
    listen: { host: HOST, port: ports.read },
    publish: { host: HOST, port: ports.publish },
    tls: { certificate: gate.tls.certificate, key: gate.tls.key },
    members,
    publishers: [{ mspId, subject }],
    ledger: profileOf(paths, mspId, GATE_USER),
  });
  const internal = internalConfig.parse({
    zone: 'internal',
    mspId,
    listen: { host: HOST, port: ports.internal },
    tls: { certificate: storage.tls.certificate, key: storage.tls.key },
    msp: tree.msp,
    identity: { certificate: storage.msp.certificate, key: storage.msp.key },
    publish: zoneAddresses(paths, basePort, mspId).publish,
    ledger: profileOf(paths, mspId, STORAGE_USER),
    recordsChannel,
    keys: { file: join(paths.storage, mspId, 'keys.json') },
    anchorSeconds: 10,
  });
  for (const config of [external, internal]) {
    const folder = folderOf(paths, mspId, config.zone);
    await makePrivateFolder(folder);
    await writePrivateFile(join(folder, CONFIG_FILE), JSON.stringify(config, undefined, 2));
  }
}

function start(paths: DemoPaths, zone: string, folders: readonly string[]): ChildProcess {
  const command = join(
    require.resolve('@strokeshare/storage-node/package.json'),
    '..',
    'bin',
    'strokeshare-storage.js',
  );
  const log = openSync(paths.storageLog, 'a', 0o600);
  const child = fork(command, [zone, ...folders], { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  return child;
}

async function served(paths: DemoPaths, child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', () => {
      void readFile(paths.storageLog, 'utf8').then((text) => {
        const last = text.trim().split('\n').at(-1) ?? '';
        reject(new ClientError('NO_PROGRESS', `The storage nodes did not start: ${last}`));
      }, reject);
    });
  });
  child.removeAllListeners();
  child.disconnect();
  child.unref();
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NetworkError } from '../errors.js';
import type { AdministratorCli } from './administrator.js';

/*
 * A new peer may take a channel's state from a snapshot instead of every block since the first: sooner ready, but
 * without the history before it. Fabric's documentation: "Taking ledger snapshots".
 */

const DEADLINE_MS = 60_000;

/**
 * Has the own peer write a snapshot of a channel's last block, and returns its folder.
 * @param root the peer's `ledger.snapshots.rootDir`
 */
export async function takeSnapshot(admin: AdministratorCli, channel: string, root: string): Promise<string> {
  const folder = join(root, 'completed', channel);
  const before = new Set(listFolders(folder));
  const { address, tlsCa } = admin.ownPeer;
  const flags = ['--peerAddress', address, '--tlsRootCertFile', tlsCa];
  await admin.peer(['snapshot', 'submitrequest', '-c', channel, '-b', '0', ...flags]);
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const made = listFolders(folder).find((name) => !before.has(name));
    if (made !== undefined) return join(folder, made);
    if (performance.now() > end)
      throw new NetworkError(
        'FABRIC_COMMAND_FAILED',
        `The peer of ${admin.administrator.mspId} has not finished its snapshot of ${channel}.`,
      );
    await delay(100);
  }
}

/** Joins the own peer to a channel by a snapshot that another member took; returns when it has the state. */
export async function joinBySnapshot(admin: AdministratorCli, folder: string): Promise<void> {
  await admin.peer(['channel', 'joinbysnapshot', '--snapshotpath', folder]);
  const end = performance.now() + DEADLINE_MS;
  // The peer takes one snapshot at a time and says so while it does.
  while (!(await admin.peer(['channel', 'joinbysnapshotstatus'])).includes('No joinbysnapshot operation')) {
    if (performance.now() > end)
      throw new NetworkError('FABRIC_COMMAND_FAILED', `The peer has not finished joining by ${folder}.`);
    await delay(100);
  }
}

function listFolders(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

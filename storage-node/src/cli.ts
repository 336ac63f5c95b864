import { join } from 'node:path';
import { Command } from 'commander';
import { copyZone } from './backup.js';
import { readConfig } from './config.js';
import { StorageError } from './errors.js';
import { externalConfig } from './external/config.js';
import { ExternalZone } from './external/zone.js';
import { internalConfig, type InternalConfig } from './internal/config.js';
import { KeyRing } from './internal/key-encryption.js';
import { Originals } from './internal/originals.js';
import { InternalZone } from './internal/zone.js';
import { ZoneLedger } from './ledger.js';
import { becomeUser } from './users.js';

type Zone = AsyncDisposable & { describe: string };

async function keysOf({ keys }: InternalConfig): Promise<KeyRing> {
  return 'file' in keys ? KeyRing.file(keys.file) : KeyRing.environment(keys.environment);
}

function log(entry: Record<string, unknown>): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));
}

async function openExternal(folder: string): Promise<Zone> {
  const config = await readConfig(folder, externalConfig);
  const ledger = await ZoneLedger.connect(config.ledger);
  const zone = await ExternalZone.open(folder, config, { grants: ledger.grants() });
  const { read, publish } = zone.ports;
  return {
    describe: `external zone of ${config.mspId}: reading at ${read}, publishing at ${publish}`,
    async [Symbol.asyncDispose]() {
      await zone[Symbol.asyncDispose]();
      ledger[Symbol.dispose]();
    },
  };
}

async function openInternal(folder: string): Promise<Zone> {
  const config = await readConfig(folder, internalConfig);
  const ledger = await ZoneLedger.connect(config.ledger);
  const zone = await InternalZone.open(folder, config, {
    ledger: ledger.records(config.recordsChannel),
    keys: await keysOf(config),
    log: (entry) => log({ mspId: config.mspId, ...entry }),
  });
  return {
    describe: `internal zone of ${config.mspId}: at ${zone.port}`,
    async [Symbol.asyncDispose]() {
      await zone[Symbol.asyncDispose]();
      ledger[Symbol.dispose]();
    },
  };
}

/** Files are the user's alone from here on. */
function actAs(user: string | undefined): void {
  if (user !== undefined) becomeUser(user);
  process.umask(0o077);
}

/** Serves zones until the process is told to end; all of one kind, so that no process holds both. */
async function serve(
  folders: readonly string[],
  open: (folder: string) => Promise<Zone>,
  { user }: { user?: string },
): Promise<void> {
  const ending = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  actAs(user);
  const zones: Zone[] = [];
  try {
    for (const folder of folders) {
      const zone = await open(folder);
      zones.push(zone);
      log({ step: 'zone', message: zone.describe });
    }
    process.send?.('serving');
    await ending;
  } finally {
    const ends = await Promise.allSettled(zones.map((zone) => zone[Symbol.asyncDispose]()));
    for (const end of ends) if (end.status === 'rejected') log({ step: 'zone', error: String(end.reason) });
  }
}

/** Makes a fresh key-encryption key the current one and wraps every data key anew; the zone must not run. */
async function rotate(folder: string, { user }: { user?: string }): Promise<void> {
  actAs(user);
  const config = await readConfig(folder, internalConfig);
  if (!('file' in config.keys))
    throw new StorageError('KEY_INVALID', 'Only a ring in a file is rotated here; ask the other keeper.');
  const keys = await KeyRing.rotate(config.keys.file);
  const originals = await Originals.open(join(folder, 'originals'), keys);
  console.log(`${keys.current} is the current key; ${await originals.rewrap()} data keys were wrapped anew.`);
}

async function main(): Promise<void> {
  const command = new Command('strokeshare-storage').description("An institution's storage node.");
  const USER: [string, string] = ['--user <name>', 'become this system user first (needs root)'];
  const zone = (name: string, description: string, open: (folder: string) => Promise<Zone>): void => {
    command
      .command(`${name} <folders...>`)
      .description(description)
      .option(...USER)
      .action((folders: string[], options: { user?: string }) => serve(folders, open, options));
  };
  zone('internal', 'serve internal zones: originals, and what is published', openInternal);
  zone('external', 'serve external zones: ciphertexts for the consortium', openExternal);
  command
    .command('rotate <folder>')
    .description('rotate the key-encryption key of an internal zone, which must not run')
    .option(...USER)
    .action(rotate);
  const copy = (name: string, description: string): void => {
    command
      .command(`${name} <from> <to>`)
      .description(description)
      .option(...USER)
      .action(async (from: string, to: string, { user }: { user?: string }) => {
        actAs(user);
        const { objects, kept } = await copyZone(from, to);
        console.log(`${objects} objects were copied, ${kept} were there already.`);
      });
  };
  copy('backup', 'copy an internal zone to another folder; run again, it copies what is new');
  copy('restore', 'copy a backup back into the folder of an internal zone, which must not run');
  await command.parseAsync();
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    const known = error instanceof StorageError ? ` (${error.code})` : '';
    console.error(`${error instanceof Error ? error.message : String(error)}${known}`);
    process.exit(1);
  },
);

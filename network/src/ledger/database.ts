import { rename, rm } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { Indexes } from './indexes.js';
import { type Level } from './state-db.js';

/**
 * Opens the database of a peer's ledger. It is not synced with every block, because the blocks can rebuild it: one that
 * LevelDB finds corrupt, or that lost a block's changes and kept later ones, is thrown away.
 */
export async function openDatabase(dir: string, log: (message: string) => void): Promise<Level> {
  const discarded = `${dir}.discarded`;
  await rm(discarded, { recursive: true, force: true });
  const reason = await open(dir).catch((error: unknown) => {
    const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    if (cause?.code !== 'LEVEL_CORRUPTION') throw error;
    return 'it is corrupt';
  });
  if (typeof reason !== 'string') {
    const lost = new Indexes(reason).firstLost();
    if (lost === undefined) return reason;
    await reason.close();
    log(`the changes of block ${lost} are not in ${dir}`);
  }
  log(`builds the database in ${dir} anew from the blocks`);
  // Out of the way in one step: LevelDB would take what half a removal leaves for a database.
  await rename(dir, discarded);
  await rm(discarded, { recursive: true });
  return open(dir);
}

async function open(dir: string): Promise<Level> {
  const db: Level = new ClassicLevel(dir, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    cacheSize: 16 * 1024 * 1024,
  });
  await db.open();
  return db;
}

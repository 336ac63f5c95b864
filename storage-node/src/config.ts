import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { StorageError } from './errors.js';

/** Name of a zone's configuration in its folder. */
export const CONFIG_FILE = 'zone.json';

/** Reads a PEM file. @throws StorageError `CONFIG_INVALID`. */
export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new StorageError('CONFIG_INVALID', `The file ${path} of the zone cannot be read.`, { cause });
  }
}

/**
 * Reads `zone.json` of a folder.
 *
 * @throws StorageError `CONFIG_INVALID` naming what is wrong.
 */
export async function readConfig<T extends z.ZodType>(folder: string, shape: T): Promise<z.output<T>> {
  const path = join(folder, CONFIG_FILE);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = isMissing ? 'does not exist' : 'cannot be read as JSON';
    throw new StorageError('CONFIG_INVALID', `The configuration ${path} ${what}.`, { cause });
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StorageError(
    'CONFIG_INVALID',
    `The configuration ${path} cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`,
    { cause: parsed.error },
  );
}

import { accessSync, constants, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { z } from 'zod';
import { isErrno } from './processes.js';

/** Replaces a JSON file in one step, so that a reader never sees half of it; readable by its owner alone. */
export function writeJson(path: string, value: unknown): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

/** Reads a JSON file of ours; undefined when it is missing or not what the schema says. */
export function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The last lines of a log behind a position in it, for a message; empty when there is none. */
export function lastLines(path: string, count: number, offset = 0): string[] {
  let text: string;
  try {
    text = readFileSync(path).subarray(offset).toString('utf8').trimEnd();
  } catch {
    return [];
  }
  return text === '' ? [] : text.split('\n').slice(-count);
}

/** Whether a path is a file that may be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

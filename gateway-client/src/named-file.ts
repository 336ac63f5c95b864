import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { ClientError, type ClientErrorCode } from './errors.js';

/** What a file is to be, and how it is told that it is not. */
export interface NamedFile {
  /** At the beginning of the sentence: `The profile`. */
  readonly what: string;
  readonly code: ClientErrorCode;
  /** Where programs are to tell a file that is there, but not of the form; otherwise as `code`. */
  readonly malformed?: ClientErrorCode;
  readonly form: 'JSON' | 'YAML';
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder, not a file',
  EACCES: 'must not be read by this user',
};

/**
 * Reads a file that a person named.
 *
 * @throws ClientError with the codes: it does not exist, is a folder, must not be read, or is not of the form.
 */
export async function readNamedFile(
  path: string,
  { what, code, malformed = code, form }: NamedFile,
): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const reason = reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be read';
    throw new ClientError(code, `${what} ${path} ${reason}.`, { cause });
  }
  try {
    return form === 'JSON' ? JSON.parse(text) : parseYaml(text);
  } catch (cause) {
    throw new ClientError(malformed, `${what} ${path} cannot be read as ${form}.`, { cause });
  }
}

/**
 * The same, of one shape.
 *
 * @throws ClientError also with the place and the reason of the first thing that is wrong.
 */
export async function readShapedFile<T extends z.ZodType>(
  path: string,
  file: NamedFile,
  shape: T,
): Promise<z.output<T>> {
  const result = shape.safeParse(await readNamedFile(path, file));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ClientError(
    file.code,
    `${file.what} ${path} cannot be used: ${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'not valid'}.`,
    { cause: result.error },
  );
}

const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder does not exist',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'this user must not write there',
  ENOSPC: 'no space is left on the disk',
};

/** The error of a file that a person named and that could not be written: `FILE_UNWRITABLE`. */
export function unwritable(what: string, path: string, cause: unknown): ClientError {
  const reason = refusals[(cause as NodeJS.ErrnoException).code ?? ''] ?? (cause as Error).message;
  return new ClientError('FILE_UNWRITABLE', `${what} ${path} cannot be written: ${reason}.`, { cause });
}

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { NetworkError } from '../errors.js';
import { networkConfigSchema, type ResolvedConfig } from './schema.js';

/**
 * Checks a network description and fills in its defaults; `dir` becomes absolute.
 * @throws NetworkError CONFIG_INVALID with one sentence that names the place and the rule.
 */
export function parseConfig(value: unknown, baseDirectory = process.cwd()): ResolvedConfig {
  const parsed = networkConfigSchema.safeParse(value);
  if (!parsed.success)
    throw new NetworkError(
      'CONFIG_INVALID',
      `The network description is not valid: ${firstIssue(parsed.error)}.`,
    );
  return { ...parsed.data, dir: resolve(baseDirectory, parsed.data.dir) };
}

/**
 * Reads a network description from a YAML (or JSON) file; a relative `dir` is relative to the file.
 * @throws NetworkError CONFIG_INVALID when the file cannot be read or parsed.
 */
export function readConfigFile(path: string): ResolvedConfig {
  let value: unknown;
  try {
    value = parseYaml(readFileSync(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new NetworkError('CONFIG_INVALID', `The file ${path} cannot be read as YAML: ${reason}`, { cause });
  }
  return parseConfig(value, dirname(resolve(path)));
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'unknown reason';
  const place = issue.path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index ? '.' : ''}${String(key)}`))
    .join('');
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}

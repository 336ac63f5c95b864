import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { digestOf, type Provenance } from '@strokeshare/chaincode';
import { z } from 'zod';
import type { Mapping } from './mapping.js';

const build = z.object({ name: z.string(), version: z.string() });
const { name, version } = build.parse(
  JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')),
);

/**
 * Says where records come from: the file and the mapping by hash, the build that reads them, when, and the account that
 * it runs under.
 *
 * @param source - the source file as it was read, or its SHA-256 in hexadecimal.
 */
export function provenanceOf(
  source: Uint8Array | string,
  mapping: Mapping,
  attribution?: string,
): Provenance {
  return {
    sourceHash: typeof source === 'string' ? source : createHash('sha256').update(source).digest('hex'),
    mappingHash: digestOf(mapping),
    software: `${name} ${version}`,
    readAt: new Date().toISOString(),
    readBy: userInfo().username,
    ...(attribution !== undefined && { attribution }),
  };
}

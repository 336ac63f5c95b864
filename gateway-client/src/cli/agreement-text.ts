import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { grantedPart, type GrantedPart } from '@strokeshare/chaincode';
import type { Command } from 'commander';
import { ClientError } from '../errors.js';
import { readShapedFile } from '../named-file.js';
import { connected, show } from './connected.js';

/** What an agreement is proposed with. */
export interface ProposeFlags {
  profile: string;
  json?: boolean;
  agreement: string;
  text: string;
  grant?: string;
}

/** The longest summary that the ledger takes. */
const TERMS_LIMIT = 8_000;

export function proposeOptions(command: Command): Command {
  return command
    .requiredOption('--agreement <id>', 'a name for the agreement')
    .requiredOption('--text <file>', "the agreement's text; its SHA-256 is what everybody signs")
    .option('--grant <file>', 'YAML of what is granted where it is less than was asked for');
}

/** Proposes an agreement on a permission. */
export async function proposeWith(
  permissionId: string,
  { profile, json, agreement: agreementId, text: path, grant: grantPath }: ProposeFlags,
  signal: AbortSignal,
): Promise<void> {
  const text = await textOf(path);
  const grant = grantPath === undefined ? undefined : await readGrant(grantPath);
  await connected(profile, async (connection) => {
    const made = await connection.institution().agreements.propose(
      {
        agreementId,
        permissionId,
        textHash: hashOf(text),
        terms: text.toString('utf8').slice(0, TERMS_LIMIT),
        ...(grant && { grant }),
      },
      { signal },
    );
    show(
      made,
      json,
      () =>
        `${agreementId} is proposed; ${made.content.owners.join(', ')} have to sign its digest ${made.digest}.`,
    );
  });
}

/** @throws ClientError `REQUEST_INVALID`. */
export async function textOf(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new ClientError('REQUEST_INVALID', `The text ${path} cannot be read.`, { cause });
  });
}

export function hashOf(text: Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

function readGrant(path: string): Promise<GrantedPart> {
  const file = { what: 'The grant', code: 'REQUEST_INVALID', form: 'YAML' } as const;
  return readShapedFile(path, file, grantedPart);
}

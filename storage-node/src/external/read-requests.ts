import type { IncomingMessage } from 'node:http';
import { isBlobName } from '../file-blob-store.js';

/** Header that carries a claim: base64url of its JSON. */
export const GRANT_HEADER = 'strokeshare-grant';
const CLAIM_CHARACTERS = 8 * 1024;

/** A request to read a blob. */
export interface ReadRequest {
  blob: string;
  claim: unknown;
  /** First byte that is wanted, and the last one (inclusive) where one is named. */
  from: number;
  to?: number;
}

/** Reads the only request that strangers may make; undefined for everything else. */
export function readRequest({ method, url = '', headers }: IncomingMessage): ReadRequest | undefined {
  const blob = /^\/v1\/blobs\/([^/?#]*)$/.exec(url)?.[1] ?? '';
  if (method !== 'GET' || !isBlobName(blob)) return undefined;
  const claim = claimOf(headers[GRANT_HEADER]);
  const range = rangeOf(headers.range);
  return claim !== undefined && range ? { blob, claim, ...range } : undefined;
}

function claimOf(header: string | string[] | undefined): unknown {
  if (typeof header !== 'string' || header.length > CLAIM_CHARACTERS) return undefined;
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function rangeOf(header: string | undefined): { from: number; to?: number } | undefined {
  if (header === undefined) return { from: 0 };
  const match = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header);
  if (!match) return undefined;
  const from = Number(match[1]);
  if (match[2] === undefined) return { from };
  const to = Number(match[2]);
  return to >= from ? { from, to } : undefined;
}

/** Writes a claim as the header carries it. */
export const claimHeader = (claim: unknown): string =>
  Buffer.from(JSON.stringify(claim)).toString('base64url');

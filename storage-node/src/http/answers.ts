import type { IncomingMessage, ServerResponse } from 'node:http';
import { StorageError, type StorageErrorCode } from '../errors.js';

const STATUS: Record<StorageErrorCode, number> = {
  NOT_FOUND: 404,
  CORRUPT: 422,
  NO_SPACE: 507,
  HASH_INVALID: 400,
  TOO_LARGE: 413,
  IO: 500,
  STORE_OUTDATED: 500,
  JOURNAL_DAMAGED: 500,
  KEY_INVALID: 500,
  CONFIG_INVALID: 500,
  REQUEST_INVALID: 400,
  REFUSED: 403,
  RETAINED: 409,
  UNAVAILABLE: 503,
};

/** Answers with JSON. */
export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** Answers with an error's code and sentence; what is not a {@link StorageError} says nothing of itself. */
export function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const known = error instanceof StorageError ? error : new StorageError('IO', 'The request failed.');
  // The rest of a body that is not wanted is not read.
  response.setHeader('connection', 'close');
  answerJson(response, STATUS[known.code], { code: known.code, message: known.message });
}

/**
 * Reads a body as a whole.
 *
 * @throws StorageError `TOO_LARGE`.
 */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) throw tooLarge(maximumBytes);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maximumBytes) throw tooLarge(maximumBytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(maximumBytes: number): StorageError {
  return new StorageError('TOO_LARGE', `A body may have at most ${maximumBytes} bytes here.`);
}

/** Reads a body of JSON. @throws StorageError `TOO_LARGE`, `REQUEST_INVALID`. */
export async function readJson(request: IncomingMessage, maximumBytes: number): Promise<unknown> {
  const body = await readBody(request, maximumBytes);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new StorageError('REQUEST_INVALID', 'The body is not JSON.', { cause });
  }
}

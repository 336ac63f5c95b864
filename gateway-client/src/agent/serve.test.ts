import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Evaluators } from './evaluators.js';
import { AgentLease } from './lease.js';
import { serveInstitution, type AgentObserver } from './serve.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'strokeshare-serve-'))));
afterEach(() => rm(folder, { recursive: true }));

/** Serves a folder in which nothing is set up: to begin there ends with an error. */
function serve(inReserve: () => void, signal: AbortSignal): Promise<void> {
  const observer: AgentObserver = {
    inReserve,
    ...{ serving: jest.fn(), idle: jest.fn(), step: jest.fn(), failed: jest.fn() },
  };
  const pauses = { error: 1, reserve: 1 };
  return serveInstitution(folder, { evaluators: new Evaluators(1), signal, observer, pauses });
}

test('an agent beside another one waits without touching anything, and begins when that one ends', async () => {
  const lease = await AgentLease.take(folder);
  let serving: Promise<void> | undefined;
  await new Promise<void>((resolve) => {
    serving = serve(resolve, new AbortController().signal);
    serving.catch(() => undefined);
  });
  await lease[Symbol.asyncDispose]();
  await expect(serving).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
  // It has given the lease back.
  await (await AgentLease.take(folder))[Symbol.asyncDispose]();
});

test('one that waits ends with its signal', async () => {
  await using _lease = await AgentLease.take(folder);
  const ending = new AbortController();
  await expect(serve(() => ending.abort(), ending.signal)).resolves.toBeUndefined();
});

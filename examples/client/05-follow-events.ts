/**
 * Follow events.
 *
 * Every transaction of the contracts leaves one event with an id and a state. A stream survives lost peers by itself. With
 * a checkpoint it survives a restart, too: it goes on behind the last event whose handling was finished, so that each is
 * handled at least once. Make handling idempotent.
 *
 * Run: node examples/client/05-follow-events.ts
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@strokeshare/gateway-client';
import { RESEARCHER, signal } from './alliance.ts';

const folder = await mkdtemp(join(tmpdir(), 'strokeshare-events-'));
const checkpoint = join(folder, 'events.json');

/** Handles so many events, as a program would between two starts. */
async function handle(count: number): Promise<string[]> {
  using connection = await connect(RESEARCHER);
  const ending = new AbortController();
  const handled: string[] = [];
  for await (const event of connection.events({ checkpoint })(AbortSignal.any([signal, ending.signal]))) {
    console.log(`block ${event.blockNumber}: ${event.name} ${event.payload}`);
    handled.push(event.transactionId);
    // Asking for the next event notes that this one was handled.
    if (handled.length === count) ending.abort();
  }
  return handled;
}

const first = await handle(3);
const second = await handle(2);
assert.equal(new Set([...first, ...second]).size, 5);
await rm(folder, { recursive: true });

import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Random } from './random.js';

/*
 * What else than the killed process can leave behind an end of the whole machine: pieces of a block that was being
 * written, and any part of a database's log, which is not synced. Files of blocks up to the last one are synced, so
 * they stay; only the orderer's last one is taken now and then, because every peer has it.
 */

/** @returns what was done, for the report */
export function tearFiles(
  dir: string,
  channel: string,
  organizations: readonly string[],
  random: Random,
): string[] {
  const done: string[] = [];
  const peers = organizations.map((mspId) => join(dir, 'peers', mspId, channel));
  const orderer = lastSegment(join(dir, 'orderer', channel));
  const orderersLast = lastRecord(orderer);
  if (orderersLast !== undefined && random.chance(0.15)) {
    truncateSync(orderer, orderersLast);
    done.push('the orderer lost its last block');
  }
  for (const file of [orderer, ...peers.map((peer) => lastSegment(join(peer, 'blocks')))]) {
    // A second torn record cannot come before the first one was cut off.
    if (lastRecord(file) === undefined || !random.chance(0.4)) continue;
    appendFileSync(file, tornRecord(random));
    done.push(`a torn record in ${file}`);
  }
  for (const peer of peers) {
    const [log] = filesOf(join(peer, 'state'), /^\d+\.log$/).slice(-1);
    if (log === undefined || !random.chance(0.4)) continue;
    done.push(`${tearLog(log, random)} ${log}`);
  }
  return done;
}

function tearLog(file: string, random: Random): string {
  const bytes = readFileSync(file);
  const start = random.below(bytes.length + 1);
  switch (random.below(3)) {
    case 0:
      truncateSync(file, start);
      return 'cut';
    case 1:
      writeFileSync(file, bytes.fill(0, start));
      return 'zeros at the end of';
    default: {
      const garbage = random.bytes(Math.min(1 + random.below(300), bytes.length - start));
      garbage.copy(bytes, start);
      writeFileSync(file, bytes);
      return 'garbage in';
    }
  }
}

/** The beginning of a record, its head without its body, or the whole length with wrong contents. */
function tornRecord(random: Random): Buffer {
  const body = random.bytes(1 + random.below(3000));
  const head = Buffer.alloc(12);
  head.writeUInt32BE(body.length, 0);
  head.writeUInt32BE(crc32(body), 4);
  head.writeUInt32BE(crc32(head.subarray(0, 8)), 8);
  const record = Buffer.concat([head, body]);
  switch (random.below(3)) {
    case 0:
      return record.subarray(0, 1 + random.below(record.length - 1));
    case 1:
      return record.fill(0, random.chance(0.5) ? 0 : head.length);
    default:
      body.reverse();
      return Buffer.concat([head, body.subarray(0, body.length - 1), Buffer.of((body.at(-1) ?? 0) ^ 1)]);
  }
}

/** Where the last record of a file of blocks begins; undefined where something is unfinished behind it. */
function lastRecord(file: string): number | undefined {
  const bytes = readFileSync(file);
  let last: number | undefined;
  for (let offset = 0; offset < bytes.length;) {
    if (offset + 12 > bytes.length) return undefined;
    const end = offset + 12 + bytes.readUInt32BE(offset);
    const body = bytes.subarray(offset + 12, end);
    if (end > bytes.length || body.length === 0 || crc32(body) !== bytes.readUInt32BE(offset + 4))
      return undefined;
    last = offset;
    offset = end;
  }
  return last;
}

function lastSegment(dir: string): string {
  const [last] = filesOf(dir, /^blocks_\d{6}$/).slice(-1);
  if (last === undefined) throw new Error(`there are no block files in ${dir}`);
  return last;
}

function filesOf(dir: string, pattern: RegExp): string[] {
  return readdirSync(dir)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(dir, name));
}

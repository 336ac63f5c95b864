import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rotateLogs } from './logRotation.js';

describe('logs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'logs-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('begin anew when they are too long, while their writer goes on', () => {
    const path = join(dir, 'network.log');
    const writer = openSync(path, 'a');
    writeSync(writer, 'a'.repeat(101));
    appendFileSync(join(dir, 'short.log'), 'b'.repeat(100));
    rotateLogs(dir, 100);
    writeSync(writer, 'after');
    closeSync(writer);
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(readFileSync(`${path}.old`, 'utf8')).toBe('a'.repeat(101));
    expect(readdirSync(dir).sort()).toStrictEqual(['network.log', 'network.log.old', 'short.log']);
  });
});

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { NetworkError } from '../errors.js';
import { callDaemon, serveControl } from './control.js';

describe('control socket', () => {
  const dir = mkdtempSync(join(tmpdir(), 'control-'));
  const path = join(dir, 'control.sock');
  let server: Server;

  beforeAll(async () => {
    server = await serveControl(path, async (request, progress) => {
      if (request.method === 'stop') throw new NetworkError('PORT_IN_USE', 'Port 1 is in use.');
      if (request.method === 'status') progress('Looking');
      return { method: request.method };
    });
  });
  afterAll(() => {
    server.close();
    rmSync(dir, { recursive: true });
  });

  it('is open to its owner alone', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('answers a request after its progress', async () => {
    const heard: string[] = [];
    await expect(callDaemon(path, { method: 'status' }, (line) => heard.push(line))).resolves.toStrictEqual({
      method: 'status',
    });
    expect(heard).toStrictEqual(['Looking']);
  });

  it('carries errors over with their code', async () => {
    await expect(callDaemon(path, { method: 'stop' })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: 'Port 1 is in use.',
    });
  });

  it('refuses what is no request', async () => {
    const socket = connect(path);
    socket.end('{"method":"rm"}\n');
    expect(JSON.parse(await text(socket))).toMatchObject({ error: { code: 'DAEMON_FAILED' } });
  });

  it('says when nobody listens', async () => {
    await expect(callDaemon(join(dir, 'other.sock'), { method: 'status' })).rejects.toMatchObject({
      code: 'NOT_RUNNING',
    });
  });
});

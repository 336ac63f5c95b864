import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, chownSync, constants, globSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePortRange } from '@strokeshare/network';
import type { IssuedCertificate } from './tls.js';
import { type Engine, postgresEngine } from './engine.js';

const USER = 'server';
const TRIES = 100;

/** The folder of PostgreSQL's programs, if this machine has them. */
export function findPostgres(): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ];
  return folders.find((folder) =>
    ['initdb', 'postgres'].every((program) => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }),
  );
}

/** PostgreSQL refuses to run as root: root lends it the user that its package made. */
function lowerUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/**
 * Starts a PostgreSQL of its own in an empty folder: loopback, TLS 1.3, certificates on both sides, no passwords.
 * @returns an engine that is connected to it, and ends it
 */
export async function startPostgres(
  programs: string,
  folder: string,
  { ca, server, client }: { ca: string; server: IssuedCertificate; client: IssuedCertificate },
): Promise<Engine> {
  const owner = lowerUser();
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', USER, '--auth=reject', '-E', 'UTF8', '--no-locale'],
    { ...owner, cwd: folder, stdio: 'ignore' },
  );
  const files = { 'ca.crt': ca, 'server.crt': server.certificate, 'server.key': server.key };
  for (const [name, text] of Object.entries(files)) {
    const path = join(data, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    if (owner) chownSync(path, owner.uid, owner.gid);
  }
  writeFileSync(join(data, 'pg_hba.conf'), `hostssl all ${USER} 127.0.0.1/32 cert\n`);
  const port = await freePortRange(1);
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ssl: 'on',
    ssl_ca_file: 'ca.crt',
    ssl_min_protocol_version: 'TLSv1.3',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const postgres = spawn(join(programs, 'postgres'), ['-D', data, ...flags], {
    ...owner,
    cwd: folder,
    stdio: 'ignore',
  });
  const tls = { ca, cert: client.certificate, key: client.key, servername: 'localhost' };
  const connection = { host: '127.0.0.1', port, user: USER, database: 'postgres', ssl: tls };
  const engine = await connected(postgres, () => postgresEngine(connection));
  return {
    ...engine,
    async close() {
      await engine.close();
      // A fast shutdown.
      postgres.kill('SIGINT');
      await once(postgres, 'exit');
    },
  };
}

async function connected(postgres: ChildProcess, connect: () => Promise<Engine>): Promise<Engine> {
  let last: unknown;
  for (let i = 0; i < TRIES && postgres.exitCode === null; i++) {
    try {
      return await connect();
    } catch (error) {
      last = error;
      await sleep(100);
    }
  }
  postgres.kill('SIGKILL');
  throw new Error('PostgreSQL does not answer.', { cause: last });
}

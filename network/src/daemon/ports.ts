import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { isErrno } from './processes.js';

/** Whether a server can listen on this port of the loopback interface right now. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (isErrno(error, 'EADDRINUSE') || isErrno(error, 'EACCES')) resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first free port from `from` on that is not in `reserved`. */
export async function findPort(from: number, reserved: ReadonlySet<number>): Promise<number> {
  for (let port = from; port <= 65535; port++)
    if (!reserved.has(port) && (await isPortFree(port))) return port;
  throw new RangeError(`no free port from ${from} on`);
}

/** Whether something accepts connections on this port now. */
export async function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** Who listens on a port, as `name (process 123)`; undefined when the system does not tell us. */
export function portOwner(port: number): string | undefined {
  try {
    return process.platform === 'linux' ? ownerOnLinux(port) : ownerByLsof(port);
  } catch {
    return undefined;
  }
}

function ownerOnLinux(port: number): string | undefined {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    if (openInodes(pid).some((inode) => inodes.has(inode)))
      return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim().slice(0, 80)} (process ${pid})`;
  }
  return undefined;
}

/** Socket inodes that listen on the port in one table of proc(5); state 0A is LISTEN. */
function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(table, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === '0A')
    .map((fields) => fields[9] ?? '');
}

function openInodes(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? '';
      } catch {
        return '';
      }
    });
  } catch {
    // Another user's process, or one that has just ended.
    return [];
  }
}

function ownerByLsof(port: number): string | undefined {
  const output = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' });
  const field = (letter: string): string | undefined =>
    output
      .split('\n')
      .find((line) => line.startsWith(letter))
      ?.slice(1);
  const pid = field('p');
  return pid === undefined ? undefined : `${field('c') ?? 'a program'} (process ${pid})`;
}

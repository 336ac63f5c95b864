import { chmodSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { NetworkError, type NetworkErrorCode } from '../errors.js';
import { isErrno } from './processes.js';
import { answerSchema, requestSchema, type Answer, type Request } from './protocol.js';

/** Answers one request, or throws a NetworkError; `progress` may be called with sentences for the person who waits. */
export type Handler = (request: Request, progress: (sentence: string) => void) => Promise<unknown>;

/** Listens on the control socket, for the owner of the network alone. */
export async function serveControl(path: string, handler: Handler): Promise<Server> {
  const server = createServer((socket) => void serveConnection(socket, handler));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Only the owner may enter the directory, so nobody slips in before the mode is set.
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}

async function serveConnection(socket: Socket, handler: Handler): Promise<void> {
  const send = (answer: Answer): void => {
    if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
  };
  // A caller that goes away does not stop what it asked for.
  socket.on('error', () => undefined);
  const lines = createInterface({ input: socket });
  for await (const line of lines) {
    try {
      const request = requestSchema.parse(JSON.parse(line));
      send({ result: (await handler(request, (progress) => send({ progress }))) ?? null });
    } catch (error) {
      const { code, message } = error instanceof NetworkError ? error : describe(error);
      send({ error: { code, message } });
    }
    break;
  }
  socket.end();
}

function describe(error: unknown): { code: NetworkErrorCode; message: string } {
  return { code: 'DAEMON_FAILED', message: error instanceof Error ? error.message : String(error) };
}

/**
 * Sends one request to a daemon and waits for its answer.
 * @throws NetworkError as the daemon threw it, NOT_RUNNING when nobody listens, or DAEMON_FAILED when it went away.
 */
export async function callDaemon(
  path: string,
  request: Request,
  onProgress: (sentence: string) => void = () => undefined,
): Promise<unknown> {
  const socket = connect(path);
  try {
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ECONNREFUSED'))
      throw new NetworkError('NOT_RUNNING', 'The network is not running.', { cause });
    throw cause;
  }
  socket.on('error', () => undefined);
  socket.write(`${JSON.stringify(request)}\n`);
  for await (const line of createInterface({ input: socket })) {
    const answer = answerSchema.parse(JSON.parse(line));
    if ('progress' in answer) onProgress(answer.progress);
    else if ('error' in answer) throw new NetworkError(answer.error.code, answer.error.message);
    else return answer.result;
  }
  throw new NetworkError('DAEMON_FAILED', 'The network ended before it answered; its log says why.');
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../../report.js';
import type { Agreement, Question } from './agreement.js';
import { CountingProxy } from './counting-proxy.js';
import type { Patient } from './engine.js';
import type { ServerReady, ServerTask } from './server.js';
import { issueCertificates, type Certificates } from './tls.js';

/** Built code, also where the sources run. */
const SERVER = join(ROOT, 'experiments', 'dist', 'experiments', 'sharing', 'server.js');

const groups = z.array(z.object({ level: z.string(), count: z.number(), mean: z.number() }));
export type Groups = z.infer<typeof groups>;

/** A client's connection to the centralised server: dispose of it to close it. */
export interface Connection extends Disposable {
  ask(question: Question): Promise<Groups>;
  download(): Promise<Buffer>;
}

/** The centralised server in a process of its own, behind a proxy that counts. */
export class CentralServer implements AsyncDisposable {
  private constructor(
    readonly ready: ServerReady,
    readonly proxy: CountingProxy,
    private readonly certificates: Certificates,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(
    agreement: Agreement,
    patients: readonly Patient[],
    file: string,
  ): Promise<CentralServer> {
    const folder = mkdtempSync(join(tmpdir(), 'central-'));
    const certificates = await issueCertificates();
    const child = fork(SERVER, { serialization: 'advanced' });
    const ended = once(child, 'exit');
    const stop = async (): Promise<void> => {
      if (child.connected) child.disconnect();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    };
    try {
      child.send({ folder, certificates, agreement, patients, file } satisfies ServerTask);
      const [ready] = (await Promise.race([
        once(child, 'message'),
        ended.then(() => {
          throw new Error('The centralised server ended at its start.');
        }),
      ])) as [ServerReady];
      return new CentralServer(ready, await CountingProxy.to(`127.0.0.1:${ready.port}`), certificates, stop);
    } catch (error) {
      await stop();
      throw error;
    }
  }

  connect(): Connection {
    const { ca, researcher } = this.certificates;
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca,
      cert: researcher.certificate,
      key: researcher.key,
      servername: 'localhost',
      // A new connection is a whole handshake.
      maxCachedSessions: 0,
    });
    const call = (path: string, body: string): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const options = { agent, host: '127.0.0.1', port: this.proxy.port, path, method: 'POST' };
        const sent = httpsRequest(options, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const whole = Buffer.concat(chunks);
            if (response.statusCode === 200) resolve(whole);
            else reject(new Error(`The server refused: ${whole.toString()}`));
          });
        });
        sent.on('error', reject);
        sent.end(body);
      });
    return {
      ask: async (question) =>
        groups.parse(JSON.parse((await call('/ask', JSON.stringify(question))).toString())),
      download: () => call('/file', ''),
      [Symbol.dispose]: () => agent.destroy(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.stop();
  }
}

/**
 * The centralised server, a process of its own: holds all patients in one database, asks for certificates, decides by the
 * agreement, records every decision, answers with groups that are large enough; and hands out the whole file.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { type Agreement, refusalOf } from './agreement.js';
import { type Engine, type Patient, sqliteEngine } from './engine.js';
import { findPostgres, startPostgres } from './postgres.js';
import type { Certificates } from './tls.js';

/** What the process is told first. */
export interface ServerTask {
  readonly folder: string;
  readonly certificates: Certificates;
  readonly agreement: Agreement;
  readonly patients: readonly Patient[];
  /** What whoever may have everything gets. */
  readonly file: string;
}

/** What it answers. */
export interface ServerReady {
  readonly port: number;
  readonly engine: string;
  readonly loadSeconds: number;
}

const question = z.strictObject({ purpose: z.string(), variable: z.string(), by: z.string() });

class Central {
  private spent = 0;

  constructor(
    private readonly engine: Engine,
    private readonly agreement: Agreement,
    private readonly file: Buffer,
  ) {}

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const researcher = String((request.socket as TLSSocket).getPeerCertificate().subject.CN);
    if (request.url === '/file') {
      const refused = researcher === this.agreement.researcher ? undefined : 'RESEARCHER_NOT_COVERED';
      if (refused) response.writeHead(403).end(refused);
      else response.end(this.file);
      return;
    }
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const asked = question.parse(JSON.parse(body));
    const { agreement } = this;
    const at = Date.now();
    const refusal = refusalOf(agreement, researcher, asked, at, this.spent);
    await this.engine.record({ at, researcher, question: asked, ...(refusal !== undefined && { refusal }) });
    if (refusal !== undefined) {
      response.writeHead(403).end(refusal);
      return;
    }
    const groups = await this.engine.groups(asked.variable, asked.by);
    const large = groups.filter(({ count }) => count >= agreement.minimumCohort);
    this.spent += 2 * large.length;
    response.end(JSON.stringify(large));
  }
}

process.once('message', (task: ServerTask) => void start(task));

async function start({ folder, certificates, agreement, patients, file }: ServerTask): Promise<void> {
  const { ca, server, database } = certificates;
  const programs = findPostgres();
  const engine = programs
    ? await startPostgres(programs, folder, { ca, server, client: database })
    : sqliteEngine(join(folder, 'patients.sqlite'));
  const started = performance.now();
  await engine.load(patients);
  const loadSeconds = (performance.now() - started) / 1000;
  const central = new Central(engine, agreement, readFileSync(file));
  const https = createServer(
    { ca, cert: server.certificate, key: server.key, requestCert: true, minVersion: 'TLSv1.3' },
    (request, response) =>
      void central.serve(request, response).catch(() => response.writeHead(400).end('BAD_REQUEST')),
  );
  https.listen(0, '127.0.0.1', () => {
    const address = https.address();
    const port = address !== null && typeof address !== 'string' ? address.port : 0;
    process.send?.({ port, engine: engine.name, loadSeconds } satisfies ServerReady);
  });
  process.once('disconnect', () => {
    https.closeAllConnections();
    https.close();
    void engine.close();
  });
}

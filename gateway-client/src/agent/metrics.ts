import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { ClientError } from '../errors.js';
import type { AgentContext, AgentEvent } from './context.js';
import { inbox } from './inbox.js';

const PREFIX = 'strokeshare_agent_';
const LOOPBACK = '127.0.0.1';
/** A scrape does not wait longer for the ledger. */
const INBOX_MS = 2_000;

type State = 'reserve' | 'serving' | 'failing';

/** What an agent's process tells its monitoring: numbers of steps and errors, states, how much waits for a person. */
export class AgentMetrics implements AsyncDisposable {
  private readonly registry = new Registry();
  private readonly contexts = new Map<string, AgentContext>();
  private readonly states = new Map<string, State>();
  private readonly steps = this.counter('steps_total', 'Steps taken', ['institution', 'step']);
  private readonly errors = this.counter('errors_total', 'Errors met', ['institution', 'code']);
  private readonly idleSince = this.gauge(
    'last_idle_timestamp_seconds',
    'When everything that there was to do was done last',
    ['institution'],
  );
  private server: Server | undefined;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    const institution = ['institution'];
    this.gauge(
      'serving',
      '1 while the process acts for the institution without an error',
      institution,
      (gauge) => {
        for (const [name, state] of this.states)
          gauge.set({ institution: name }, state === 'serving' ? 1 : 0);
      },
    );
    this.gauge('inbox', 'Agreements and jobs that wait for a person', institution, async (gauge) => {
      for (const [name, context] of this.contexts) {
        const waiting = await sizeOfInbox(context).catch(() => undefined);
        if (waiting === undefined) gauge.remove({ institution: name });
        else gauge.set({ institution: name }, waiting);
      }
    });
  }

  /** Until an agent is opened, its folder stands for its institution. */
  inReserve(folder: string): void {
    this.states.set(folder, 'reserve');
  }

  serving(context: AgentContext, folder: string): void {
    this.states.delete(folder);
    this.contexts.set(context.mspId, context);
    this.states.set(context.mspId, 'serving');
  }

  idle({ mspId }: AgentContext): void {
    this.states.set(mspId, 'serving');
    this.idleSince.setToCurrentTime({ institution: mspId });
  }

  step({ mspId, step }: AgentEvent): void {
    this.steps.inc({ institution: mspId, step });
  }

  failed({ mspId }: AgentContext, error: unknown): void {
    this.states.set(mspId, 'failing');
    this.errors.inc({ institution: mspId, code: error instanceof ClientError ? error.code : 'OTHER' });
  }

  /**
   * Serves `/metrics` for Prometheus and `/healthz` for whoever looks after the process: 503 while an institution that
   * it acts for meets errors.
   *
   * @param address - `port` or `host:port`; without a host on loopback alone. Port 0 takes a free one.
   * @returns the address that it listens on.
   */
  async listen(address: string): Promise<string> {
    const [, host = LOOPBACK, port = ''] = /^(?:(.+):)?(\d+)$/.exec(address) ?? [];
    if (port === '') throw new ClientError('REQUEST_INVALID', `${address} is no port and no host:port.`);
    this.server = createServer((request, response) => {
      void this.answer(request.url ?? '').then(({ status, type, body }) =>
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      );
    });
    this.server.listen(Number(port), host);
    await once(this.server, 'listening');
    return `${host}:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { server } = this;
    if (!server?.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  private async answer(path: string): Promise<{ status: number; type: string; body: string }> {
    switch (path) {
      case '/metrics':
        return { status: 200, type: this.registry.contentType, body: await this.registry.metrics() };
      case '/healthz': {
        const healthy = [...this.states.values()].every((state) => state !== 'failing');
        const body = JSON.stringify({ healthy, agents: Object.fromEntries(this.states) });
        return { status: healthy ? 200 : 503, type: 'application/json', body };
      }
      default:
        return { status: 404, type: 'text/plain', body: 'There are /metrics and /healthz.\n' };
    }
  }

  private counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.registry] });
  }

  /** @param current - sets the values when they are asked for. */
  private gauge(
    name: string,
    help: string,
    labelNames: string[],
    current: (gauge: Gauge) => void | Promise<void> = () => undefined,
  ): Gauge {
    const collect = function collect(this: Gauge): void | Promise<void> {
      return current(this);
    };
    return new Gauge({ name: PREFIX + name, help, labelNames, registers: [this.registry], collect });
  }
}

async function sizeOfInbox(context: AgentContext): Promise<number> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(INBOX_MS)]);
  return (await inbox({ ...context, signal })).length;
}

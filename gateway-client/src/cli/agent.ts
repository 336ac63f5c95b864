import { collectBuffersWithHeap } from '@strokeshare/network';
import { Command } from 'commander';
import pino, { type Logger } from 'pino';
import {
  AgentMetrics,
  Evaluators,
  serveInstitution,
  type AgentContext,
  type AgentEvent,
  type AgentObserver,
} from '../agent/index.js';
import { Resources } from '../resources.js';
import { sentenceOf } from './ending.js';
import { withExample } from './options.js';

/** Worker threads for encryption and evaluation, shared by all institutions of one process. */
const WORKERS = 2;

/** `strokeshare agent ...`: serves institutions. */
export function agentCommand(signal: AbortSignal): Command {
  const agent = new Command('agent')
    .argument('<folders...>', "the agents' folders, one for each institution")
    .description("serve institutions: follow the ledger and do what each folder's policy.yaml allows")
    .option(
      '--metrics <address>',
      'serve /metrics (Prometheus) and /healthz there: a port on loopback, or host:port',
    )
    .addHelpText(
      'after',
      '\nThe log is one line of JSON for every step, on standard output. A second agent on the same folder waits in\n' +
        'reserve and takes over when the first one ends.',
    )
    .action((folders: string[], options: { metrics?: string }) => serveAgents(folders, options, signal));
  return withExample(agent, 'agent ./agent --metrics 9464');
}

/** Serves the institutions of some folders until the signal is aborted; one line of JSON for every step. */
async function serveAgents(
  folders: readonly string[],
  { metrics: address }: { metrics?: string },
  signal: AbortSignal,
): Promise<void> {
  collectBuffersWithHeap();
  await using resources = new Resources();
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const evaluators = resources.use(new Evaluators(WORKERS));
  const metrics = resources.use(new AgentMetrics());
  if (address !== undefined) {
    const at = await metrics.listen(address);
    log.info({ step: 'agent', address: at }, 'metrics and health are served');
  }
  const ready = new Set<string>();
  const serving = folders.map((folder) => {
    const observer = observerOf(folder, log, metrics, () => {
      ready.add(folder);
      if (ready.size === folders.length) process.send?.('serving');
    });
    return serveInstitution(folder, { evaluators, signal: either, observer });
  });
  // One that cannot begin ends the others, too: the process is looked after as a whole.
  for (const one of serving) one.catch(() => ending.abort());
  const ended = await Promise.allSettled(serving);
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Events hold ids and sentences alone: no secret and no patient's value can come into the log. */
function observerOf(folder: string, log: Logger, metrics: AgentMetrics, ready: () => void): AgentObserver {
  return {
    inReserve: () => {
      metrics.inReserve(folder);
      log.info({ step: 'agent', folder }, 'in reserve: another agent acts for this folder');
    },
    serving: (context: AgentContext) => {
      metrics.serving(context, folder);
      log.info({ mspId: context.mspId, step: 'agent' }, 'serving');
      ready();
    },
    idle: (context: AgentContext) => metrics.idle(context),
    step: (event: AgentEvent) => {
      metrics.step(event);
      const { message, ...entry } = event;
      log.info(entry, message);
    },
    failed: (context: AgentContext, error: unknown) => {
      metrics.failed(context, error);
      log.error({ mspId: context.mspId, step: 'agent' }, sentenceOf(error));
    },
  };
}

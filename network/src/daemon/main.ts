/*
 * The process that a running network consists of: `node main.js DIR`, started detached by the operation `up`, which
 * listens on the channel for progress, then for `ready` or `failed`.
 */
import { rmSync } from 'node:fs';
import type { ResolvedConfig } from '../config/schema.js';
import { Explanations } from '../diagnosis/explanations.js';
import { startEmbedded } from '../embedded.js';
import { NetworkError } from '../errors.js';
import { CertificateServers } from '../fabricCa/servers.js';
import { NativeNetwork } from '../native/native-network.js';
import { serveControl, type Handler } from './control.js';
import { embeddedOptions } from './embeddedConfig.js';
import { networkError } from './failure.js';
import { writeJson } from './files.js';
import { collectBuffersWithHeap } from './garbageCollection.js';
import { NetworkHost } from './host.js';
import { layout } from './layout.js';
import type { Ledger } from './ledger.js';
import { keepLogsShort } from './logRotation.js';
import { readMarker } from './marker.js';
import { identifyProcess } from './processes.js';
import type { StartMessage } from './startMessage.js';

async function main(dir: string): Promise<void> {
  collectBuffersWithHeap();
  process.title = `strokeshare-network ${dir}`;
  const files = layout(dir);
  const marker = readMarker(dir);
  if (marker?.phase !== 'ready') throw new NetworkError('NOT_RUNNING', `There is no network in ${dir}.`);
  writeJson(files.daemon, identifyProcess(process.pid));

  const config = { ...marker.config, dir };
  keepLogsShort(files.logs);
  const explanations = new Explanations(log);
  const authorities = CertificateServers.of(config);
  if (authorities) tell({ progress: 'Starting the certificate authorities' });
  await authorities?.startAll();
  const ledger = await startLedger(config);
  const host = await NetworkHost.start(config, ledger, authorities, {
    log,
    progress: (progress) => tell({ progress }),
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= host.close());

  const handle: Handler = async (request, progress) => {
    switch (request.method) {
      case 'status':
        return host.status(request.verify);
      case 'deploy':
        return host.deploy(request.deployment, progress);
      case 'createChannel':
        return host.createChannel(request.channel);
      case 'reconfigure':
        return host.reconfigure({ ...request.config, dir }, progress);
      case 'explain':
        return explanations.of(request.txId);
      case 'stop':
        await stop();
        server.close();
        rmSync(files.daemon, { force: true });
        // What is left open now belongs to callers that nobody will answer.
        setImmediate(() => process.exit(0));
        return null;
    }
  };
  const server = await serveControl(files.socket, (request, progress) =>
    handle(request, progress).catch((error: unknown) => {
      throw networkError(error);
    }),
  );
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      log(`ended by ${signal}`);
      void stop().then(() => {
        rmSync(files.daemon, { force: true });
        rmSync(files.socket, { force: true });
        process.exit(0);
      });
    });
  tell({ ready: true });
  // From here on nobody listens; an open channel would tie the network to the program that started it.
  if (process.connected) process.disconnect();
}

async function startLedger(config: ResolvedConfig): Promise<Ledger> {
  const onProgress = (progress: string): void => tell({ progress });
  if (config.backend === 'native') return NativeNetwork.start({ config, onProgress });
  onProgress('Opening the ledgers');
  return startEmbedded(embeddedOptions(config, log));
}

function tell(message: StartMessage): void {
  if (process.connected) process.send?.(message);
}

function log(message: string): void {
  console.log(`${new Date().toISOString()} ${message}`);
}

const [directory] = process.argv.slice(2);
main(directory ?? '').catch((error: unknown) => {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const { code, message } = networkError(error);
  tell({ failed: { code, message } });
  if (directory) rmSync(layout(directory).daemon, { force: true });
  process.exit(1);
});

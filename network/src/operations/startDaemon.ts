import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from '../daemon/files.js';
import { layout } from '../daemon/layout.js';
import { identifyProcess, killGroup, waitForExit } from '../daemon/processes.js';
import { startMessageSchema } from '../daemon/startMessage.js';
import { NetworkError } from '../errors.js';

export interface StartOptions {
  /** Hears what is being done, a sentence at a time. */
  onProgress?: (sentence: string) => void;
  /** Gives up and removes what this start made. */
  signal?: AbortSignal;
}

/** What an interrupted start says. */
export const INTERRUPTED_SENTENCE = 'Interrupted; nothing of this start is left.';

/** The package's own directory, from its sources as well as from its build. */
const PACKAGE = join(__dirname, '..', '..');
const DAEMON = join(PACKAGE, 'dist', 'daemon', 'main.js');
/** MiB that the daemon's heap and buffers may take before old objects are looked for; see garbageCollection.ts. */
const HEAP_FLAG = '--initial-old-space-size=128';

/**
 * Starts the daemon of a prepared directory, detached from this program, and returns when it is ready.
 * @throws NetworkError INTERRUPTED, or as the daemon reports it
 */
export async function startDaemon(dir: string, { onProgress, signal }: StartOptions): Promise<void> {
  const { daemonLog } = layout(dir);
  const log = openSync(daemonLog, 'a', 0o600);
  const child = spawn(process.execPath, [HEAP_FLAG, DAEMON, dir], {
    cwd: dir,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);

  try {
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(new NetworkError('INTERRUPTED', INTERRUPTED_SENTENCE));
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      child.once('error', reject);
      child.once('exit', (code, killedBy) => {
        const lines = lastLines(daemonLog, 5).join('\n');
        reject(
          new NetworkError(
            'DAEMON_FAILED',
            `The network ended while it started (${killedBy ?? `exit code ${code ?? '?'}`}): ${lines}`,
          ),
        );
      });
      child.on('message', (value) => {
        const message = startMessageSchema.parse(value);
        if ('progress' in message) onProgress?.(message.progress);
        else if ('failed' in message) reject(new NetworkError(message.failed.code, message.failed.message));
        else {
          signal?.removeEventListener('abort', abort);
          resolve();
        }
      });
    });
  } catch (error) {
    if (identity) {
      killGroup(identity);
      await waitForExit(identity, 5000);
    }
    throw error;
  } finally {
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

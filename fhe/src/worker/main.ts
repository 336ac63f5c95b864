/** The worker thread's entry: answers requests in order, and reports every error by its code. */
import { parentPort, workerData } from 'node:worker_threads';
import { FheError } from '../errors.js';
import { parameterSetById } from '../params/index.js';
import { CipherEngine } from './engine.js';
import { type Envelope, type ErrorReport, type Reply, type Request } from './protocol.js';

const port = parentPort;
if (!port) throw new Error('this file runs as a worker thread only');

function reply(message: Reply): void {
  port?.postMessage(message, message.ok ? message.blobs.map((blob) => blob.buffer as ArrayBuffer) : []);
}

function report(error: unknown): ErrorReport {
  if (error instanceof FheError) return { code: error.code, message: error.message };
  return { code: 'WORKER_FAILED', message: error instanceof Error ? error.message : 'The worker failed.' };
}

function answer(engine: CipherEngine, request: Request, checkpoint: () => void): Uint8Array[] {
  switch (request.kind) {
    case 'publicKey':
      engine.loadPublicKey(request.epochId, request.blob);
      return [];
    case 'relinKeys':
      engine.loadRelinKeys(request.epochId, request.blob);
      return [];
    case 'encrypt':
      return [engine.encrypt(request.epochId, request.parts, request.primes)];
    case 'begin':
      engine.begin(request.epochId, request.work, request.evaluation);
      return [];
    case 'batch':
      engine.addBatch(new Map(request.columns), checkpoint, request.evaluation);
      return [];
    case 'finish':
      return engine.finish(request.cells, checkpoint, request.evaluation);
    case 'drain':
      return engine.drain(request.cells, request.evaluation);
    case 'absorb':
      engine.absorb(request.sums, request.evaluation);
      return [];
    case 'suspend':
      return engine.suspend(request.cells, request.evaluation);
    case 'resume':
      engine.resume(request.sums, request.evaluation);
      return [];
    case 'reset':
      engine.reset(request.evaluation);
      return [];
    case 'add':
      return [engine.add(request.epochId, request.blobs, checkpoint)];
  }
}

/** Blobs of a request that the engine has read into memory of its own, and does not look at again. */
function readBlobs(request: Request): Uint8Array[] {
  if (request.kind === 'batch') return request.columns.map(([, blob]) => blob);
  return request.kind === 'add' ? request.blobs : [];
}

/**
 * Gives memory back at once, where the runtime can: blobs are megabytes, and on its small heap a worker would hold
 * hundreds of them before it collected.
 */
function free(blobs: readonly Uint8Array[]): void {
  for (const buffer of new Set<object>(blobs.map((blob) => blob.buffer)))
    (buffer as { transfer?: (length: number) => unknown }).transfer?.(0);
}

function serve(engine: CipherEngine): void {
  port?.on('message', ({ id, request, cancelled }: Envelope) => {
    const checkpoint = (): void => {
      if (Atomics.load(cancelled, 0) === 1) throw new FheError('CANCELLED', 'The task was cancelled.');
    };
    try {
      reply({ id, ok: true, blobs: answer(engine, request, checkpoint) });
    } catch (error) {
      reply({ id, ok: false, error: report(error) });
    }
    free(readBlobs(request));
  });
  reply({ id: 0, ok: true, blobs: [] });
}

const { parameterSetId } = workerData as { parameterSetId: string };
CipherEngine.create(parameterSetById(parameterSetId)).then(serve, (error: unknown) => {
  reply({ id: 0, ok: false, error: report(error) });
});

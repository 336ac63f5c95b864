/** Messages between an evaluator and its worker thread. */
import { type PackedColumn } from '../columns/layout.js';
import { type Work } from '../evaluate/work.js';

export type Request =
  | { kind: 'publicKey'; epochId: string; blob: Uint8Array }
  | { kind: 'relinKeys'; epochId: string; blob: Uint8Array }
  | { kind: 'encrypt'; epochId: string; parts: PackedColumn['parts']; primes?: number }
  | { kind: 'begin'; epochId: string; work: Work }
  | { kind: 'batch'; columns: [string, Uint8Array][] }
  | { kind: 'drain'; cells: string[] }
  | { kind: 'absorb'; sums: [string, Uint8Array][] }
  | { kind: 'finish'; cells: string[] }
  /** Forgets what `begin` and `batch` left; comes after every task that ended early. */
  | { kind: 'reset' }
  | { kind: 'add'; epochId: string; blobs: Uint8Array[] };

/** A request with its number, and a flag in shared memory that asks for an early end. */
export interface Envelope {
  id: number;
  request: Request;
  cancelled: Int32Array<SharedArrayBuffer>;
}

/** An error as it crosses the thread's border. */
export interface ErrorReport {
  code: string;
  message: string;
}

/** The first reply, with id 0, says that the worker is ready. */
export type Reply =
  { id: number; ok: true; blobs: Uint8Array[] } | { id: number; ok: false; error: ErrorReport };

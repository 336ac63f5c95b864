/** Messages between an evaluator and its worker thread. */
import { type PackedColumn } from '../columns/layout.js';
import { type Work } from '../evaluate/work.js';

export type Request =
  | { kind: 'publicKey'; epochId: string; blob: Uint8Array }
  | { kind: 'relinKeys'; epochId: string; blob: Uint8Array }
  | { kind: 'encrypt'; epochId: string; parts: PackedColumn['parts']; primes?: number }
  /** A worker may have several evaluations, told apart by their numbers. */
  | { kind: 'begin'; evaluation: number; epochId: string; work: Work }
  | { kind: 'batch'; evaluation: number; columns: [string, Uint8Array][] }
  | { kind: 'drain'; evaluation: number; cells: string[] }
  | { kind: 'absorb'; evaluation: number; sums: [string, Uint8Array][] }
  /** The sums so far as blobs, which another evaluation of the same cells goes on from. */
  | { kind: 'suspend'; evaluation: number; cells: string[] }
  | { kind: 'resume'; evaluation: number; sums: [string, Uint8Array][] }
  | { kind: 'finish'; evaluation: number; cells: string[] }
  /** Forgets an evaluation, if there is one. */
  | { kind: 'reset'; evaluation: number }
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

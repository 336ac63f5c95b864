import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { ROOT } from '../../report.js';

const run = promisify(execFile);
const PYTHON = join(ROOT, 'experiments', 'python');
const VENV = join(ROOT, 'out', 'tenseal-venv');

/** What TenSEAL answered: seconds, and the result where there is one. */
export interface PeerAnswer {
  seconds: number;
  result?: number[];
  bytes?: number;
}

/** Why TenSEAL is not on this machine, in a few words. */
export class PeerMissing {
  constructor(readonly reason: string) {}
}

/** TenSEAL in a Python process of its own, in a virtual environment that this bench makes. */
export class TenSeal implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  private constructor(process: ChildProcess) {
    this.#process = process;
    if (!process.stdout) throw new Error('The peer has no standard output.');
    this.#lines = createInterface({ input: process.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** Starts it with the two columns of a table and of a resampled one, as little-endian doubles in files. */
  static async start(
    options: {
      degree: number;
      primes: number;
      scale_bits: number;
      threads: number;
      file: string;
      resampled: string;
    },
    progress: (line: string) => void,
  ): Promise<TenSeal | PeerMissing> {
    const python = await environment(progress);
    if (python instanceof PeerMissing) return python;
    const child = spawn(python, [join(PYTHON, 'tenseal_peer.py')], { stdio: ['pipe', 'pipe', 'ignore'] });
    const peer = new TenSeal(child);
    try {
      await peer.#ask({ kind: 'start', ...options });
      return peer;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      return new PeerMissing(`TenSEAL did not start: ${(error as Error).message}`);
    }
  }

  operation(name: string): Promise<PeerAnswer> {
    return this.#ask({ kind: 'operation', name });
  }

  job(name: 'whole_job' | 'query_at_rest'): Promise<PeerAnswer> {
    return this.#ask({ kind: 'job', name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lines.close();
    if (this.#process.exitCode !== null) return;
    this.#process.stdin?.end();
    await once(this.#process, 'exit');
  }

  async #ask(request: unknown): Promise<PeerAnswer> {
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    // TenSEAL prints warnings on the same stream.
    for (;;) {
      const answer = await this.#answers.next();
      if (answer.done) throw new Error('its process ended');
      if (answer.value.startsWith('{')) return JSON.parse(answer.value) as PeerAnswer;
    }
  }
}

/** The interpreter of the virtual environment, which is made when it is first needed. */
async function environment(progress: (line: string) => void): Promise<string | PeerMissing> {
  const python = join(VENV, 'bin', 'python');
  try {
    await run(python, ['-c', 'import tenseal']);
    return python;
  } catch {
    progress('setting up TenSEAL in out/tenseal-venv');
  }
  try {
    await run('python3', ['--version']);
  } catch {
    return new PeerMissing('Python 3 is not installed');
  }
  try {
    await mkdir(join(ROOT, 'out'), { recursive: true });
    await run('python3', ['-m', 'venv', VENV]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '-r', join(PYTHON, 'requirements.txt')]);
    await access(python);
    return python;
  } catch {
    return new PeerMissing('TenSEAL cannot be installed here (no network or no wheel for this Python)');
  }
}

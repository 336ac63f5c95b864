import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { NetworkError, type NetworkErrorCode } from '../errors.js';
import { lastLines } from './files.js';
import { isListening } from './ports.js';
import { identifyProcess, isRunning, killGroup, waitForExit, type ProcessIdentity } from './processes.js';

/** How one process is started. */
export interface ProcessCommand {
  /** What messages call it, e.g. `The chaincode basic_1.0 of Org1MSP`. */
  title: string;
  /** What a failed start is. */
  failure: Extract<NetworkErrorCode, 'CHAINCODE_START_FAILED' | 'NODE_FAILED'>;
  /** Whether it is asked to end, and given time, before it is killed. */
  gentle?: boolean;
  argv: readonly [string, ...string[]];
  cwd: string;
  env: Readonly<Record<string, string>>;
  port: number;
  log: string;
}

export type ProcessState = 'starting' | 'running' | 'restarting' | 'stopped';

/** Longest time from the start of a process until it listens. */
const START_DEADLINE_MS = 60_000;
/** Longest time that a process may take to end when it is asked to. */
const STOP_DEADLINE_MS = 10_000;
const BACK_OFF_MS = { first: 200, longest: 30_000 };
/** A process that ran this long was healthy: its next restart is quick again. */
const HEALTHY_AFTER_MS = 60_000;

/** A process that serves a port, started again with growing pauses whenever it ends by itself. */
export class SupervisedProcess {
  #state: ProcessState = 'starting';
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #restarts = 0;
  #lastExit: string | undefined;
  readonly #stopping = new AbortController();
  #supervision: Promise<void> = Promise.resolve();

  /** `onChange` is called whenever a process starts or ends. */
  constructor(
    readonly command: ProcessCommand,
    private readonly onChange: () => void,
  ) {}

  get state(): ProcessState {
    return this.#state;
  }

  /** The running process, for the record that survives a crash of the daemon. */
  get identity(): ProcessIdentity | undefined {
    return this.#identity;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** How the process ended last, if it ever did. */
  get lastExit(): string | undefined {
    return this.#lastExit;
  }

  /**
   * Starts the process and waits until it listens.
   * @throws NetworkError CHAINCODE_START_FAILED or NODE_FAILED with the last lines of its log.
   */
  async start(): Promise<void> {
    try {
      await this.launch();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#supervision = this.supervise();
  }

  /** Ends the process and everything that it started; it is not started again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const identity = this.#identity;
    if (identity && this.command.gentle) {
      if (isRunning(identity)) process.kill(identity.pid, 'SIGTERM');
      await waitForExit(identity, STOP_DEADLINE_MS);
    }
    if (identity) killGroup(identity);
    await this.#supervision;
    if (
      this.#child &&
      this.#child.exitCode === null &&
      this.#child.signalCode === null &&
      this.#child.pid !== undefined
    )
      await once(this.#child, 'exit');
    this.#state = 'stopped';
  }

  private async supervise(): Promise<void> {
    let pause = BACK_OFF_MS.first;
    while (!this.#stopping.signal.aborted) {
      const began = performance.now();
      await this.exited();
      if (this.#stopping.signal.aborted) return;
      this.#state = 'restarting';
      if (performance.now() - began > HEALTHY_AFTER_MS) pause = BACK_OFF_MS.first;
      await this.relaunch(pause);
      pause = Math.min(pause * 2, BACK_OFF_MS.longest);
    }
  }

  private async relaunch(pause: number): Promise<void> {
    try {
      await delay(pause, undefined, { signal: this.#stopping.signal });
      this.#restarts += 1;
      await this.launch();
    } catch {
      // Stopped while waiting, or it failed again: its log has the reason, and the next round waits longer.
    }
  }

  private async launch(): Promise<void> {
    const { argv, cwd, env, port, log } = this.command;
    const [file, ...args] = argv;
    const output = openSync(log, 'a', 0o600);
    const offset = statSync(log).size;
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', output, output, 'ipc'] });
    closeSync(output);
    this.#child = child;
    child.once('exit', (code, signal) => {
      this.#lastExit = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
      // What it started must not keep its port.
      if (this.#identity) killGroup(this.#identity);
      this.#identity = undefined;
      this.onChange();
    });
    child.once('error', (error) => (this.#lastExit = error.message));
    if (child.pid !== undefined) this.#identity = identifyProcess(child.pid);
    this.onChange();

    const end = performance.now() + START_DEADLINE_MS;
    // The chaincode's server tells nobody when it begins to listen; its port does.
    while (!(await isListening(port))) {
      if (
        this.#stopping.signal.aborted ||
        child.pid === undefined ||
        child.exitCode !== null ||
        child.signalCode !== null
      )
        throw this.startFailure('ended before it listened', offset);
      if (performance.now() > end) {
        if (this.#identity) killGroup(this.#identity);
        throw this.startFailure(
          `did not listen on port ${port} within ${START_DEADLINE_MS / 1000} s`,
          offset,
        );
      }
      await delay(25);
    }
    this.#state = 'running';
    this.onChange();
  }

  private async exited(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      await once(child, 'exit');
  }

  private startFailure(what: string, offset: number): NetworkError {
    const { title, failure, log } = this.command;
    const lines = lastLines(log, 12, offset);
    const said = lines.length === 0 ? 'It wrote nothing.' : `It wrote last:\n${lines.join('\n')}`;
    const exit = this.#lastExit === undefined ? '' : ` (${this.#lastExit})`;
    return new NetworkError(failure, `${title} ${what}${exit}. ${said}`);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type Request } from './messages.js';

/** A network in a process of its own, which can be killed at any moment. */
export class Victim {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** Loads the program; its output is appended to the log. */
  constructor(private readonly log: string) {
    const output = openSync(log, 'a', 0o600);
    this.#process = spawn(process.execPath, [join(__dirname, 'node.mts')], {
      stdio: ['ignore', output, output, 'ipc'],
    });
    this.#exited = once(this.#process, 'exit');
  }

  /** Opens the ledgers; resolves to the peers' addresses. @throws Error where the process ends instead */
  async start(options: string): Promise<Record<string, string>> {
    const answer = await this.#ask({ start: options });
    if (!('ready' in answer)) throw new Error('unexpected answer');
    return answer.ready;
  }

  /** Lets the network check all its block files. */
  async verify(): Promise<void> {
    await this.#ask({ verify: true });
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async #ask(request: Request): Promise<Answer> {
    const answered = once(this.#process, 'message') as Promise<[Answer]>;
    this.#process.send(request, () => undefined);
    const ended = this.#exited.then(() => {
      throw new Error(`the network ended by itself, see ${this.log}`);
    });
    const [answer] = await Promise.race([answered, ended]);
    return answer;
  }
}

/** The command line as people use it: lines typed by somebody, and agents as processes of their own. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { jest } from '@jest/globals';
import { z } from 'zod';
import { program, run } from '../../src/cli.js';
import { shapeOf, wordsOf } from './typedLines.js';

type Child = ChildProcessByStdio<null, Readable, Readable | null>;
const BIN = join(__dirname, '..', '..', 'bin', 'strokeshare.js');

/** What the shell of somebody has exported. */
export interface Who {
  STROKESHARE_PROFILE?: string;
  STROKESHARE_AGENT?: string;
}

/** What a command gave back. */
export interface Typed {
  code: number;
  out: string;
  err: string;
}

/** Types lines whose words that begin with `@` are files below a folder; whatever still runs ends with it. */
export class CommandLine implements AsyncDisposable {
  /** Commands with their options, as they were typed. */
  readonly shapes = new Set<string>();
  readonly #children: Child[] = [];

  constructor(
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Runs a line in this process, as `main` would; one after another. */
  async type(who: Who, line: string): Promise<Typed> {
    const words = this.wordsOf(line);
    const [out, err]: [string[], string[]] = [[], []];
    const spies = [
      jest.spyOn(console, 'log').mockImplementation((text: unknown) => void out.push(`${String(text)}\n`)),
      jest.spyOn(console, 'error').mockImplementation((text: unknown) => void err.push(`${String(text)}\n`)),
      jest.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0),
    ];
    const { env } = process;
    process.env = { ...env, ...who };
    try {
      await run(words, this.signal);
    } finally {
      process.env = env;
      for (const spy of spies) spy.mockRestore();
    }
    const code = Number(process.exitCode ?? 0);
    process.exitCode = undefined;
    return { code, out: out.join('').trimEnd(), err: err.join('').trimEnd() };
  }

  /** Runs a line that has to succeed, and gives what it printed. */
  async done(who: Who, line: string): Promise<string> {
    const { code, out, err } = await this.type(who, line);
    if (code !== 0) throw new Error(`"${line}" ended with ${code}: ${err}`);
    return out;
  }

  async json<T>(who: Who, line: string, shape: z.ZodType<T>): Promise<T> {
    return shape.parse(JSON.parse(await this.done(who, line)));
  }

  /** Runs a line in a process of its own. */
  async shell(who: Who, line: string): Promise<Typed> {
    const child = this.spawn(who, line, 'pipe');
    const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')]);
    return { code: child.exitCode ?? -1, out: out.trimEnd(), err: err.trimEnd() };
  }

  /** Starts `strokeshare agent ...`. */
  agent(line: string): AgentProcess {
    return new AgentProcess(this.spawn({}, line, 'inherit'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => ended(child, 'SIGKILL')));
  }

  private spawn(who: Who, line: string, stderr: 'pipe' | 'inherit'): Child {
    const child = spawn(process.execPath, [BIN, ...this.wordsOf(line)], {
      env: { ...process.env, NODE_OPTIONS: '', ...who },
      stdio: ['ignore', 'pipe', stderr],
    }) as Child;
    this.#children.push(child);
    return child;
  }

  private wordsOf(line: string): string[] {
    const words = wordsOf(`strokeshare ${line}`);
    this.shapes.add(shapeOf(program(this.signal), words));
    return words.map((word) => word.replace(/^@/, `${this.folder}/`));
  }
}

const logged = z.looseObject({ msg: z.string(), step: z.string(), id: z.string().optional() });
type Logged = z.infer<typeof logged>;

/** An agent in a process of its own, and what it logs. */
export class AgentProcess {
  readonly #lines: Logged[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(private readonly child: Child) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(logged.parse(JSON.parse(line)));
      this.#tell();
    });
    child.once('close', () => {
      this.#ended = true;
      this.#tell();
    });
  }

  /** The first line that begins so, which may have been logged already. */
  async says(beginning: string): Promise<Logged> {
    for (;;) {
      const line = this.#lines.find(({ msg }) => msg.startsWith(beginning));
      if (line) return line;
      if (this.#ended)
        throw new Error(`The agent ended without "${beginning}": ${JSON.stringify(this.#lines.slice(-3))}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Sends a signal and waits until the process has ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<NodeJS.Signals | number | null> {
    await ended(this.child, signal);
    return this.child.signalCode ?? this.child.exitCode;
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

async function ended(child: Child, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function textOf(stream: Readable | null): Promise<string> {
  let text = '';
  if (!stream) return text;
  for await (const part of stream.setEncoding('utf8')) text += String(part);
  return text;
}

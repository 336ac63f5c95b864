import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { NetworkError } from '../errors.js';

/** One run of one of Fabric's command line programs. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to what the program inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: one minute. */
  readonly timeoutMs?: number;
}

/** Variables by which Fabric's programs would override their files unseen. */
const OVERRIDES = /^(CORE|ORDERER|CONFIGTX|OSNADMIN|FABRIC)_/;
const KEPT = new Set(['FABRIC_LOGGING_SPEC']);

/** Commands tell what went wrong without it; nodes keep their own level. */
const QUIET = { FABRIC_LOGGING_SPEC: 'error' };

/** The environment of a program of Fabric's: what it may inherit and what it is given. */
export function fabricEnvironment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || (OVERRIDES.test(name) && !KEPT.has(name)) ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(inherited), ...own };
}

/**
 * Runs a program to its end.
 * @throws NetworkError FABRIC_COMMAND_FAILED with the program's own reason.
 */
export async function runCommand(command: Command): Promise<{ stdout: string; stderr: string }> {
  const { program, args, env, timeoutMs = 60_000 } = command;
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...args],
      {
        env: { ...QUIET, ...fabricEnvironment(env) },
        timeout: timeoutMs,
        maxBuffer: 64 * 1024 * 1024,
        encoding: 'utf8',
      },
      (error, stdout, stderr) => {
        if (!error) return resolve({ stdout, stderr });
        const verbs = args.slice(0, Math.min(3, firstFlag(args))).join(' ');
        const reason = error.killed
          ? `it did not end within ${timeoutMs / 1000} seconds`
          : failureReason(`${stdout}\n${stderr}`, error.message);
        reject(
          new NetworkError('FABRIC_COMMAND_FAILED', `${basename(program)} ${verbs} failed: ${reason}`, {
            cause: error,
          }),
        );
      },
    );
  });
}

function firstFlag(args: readonly string[]): number {
  const index = args.findIndex((arg) => arg.startsWith('-'));
  return index < 0 ? args.length : index;
}

/** The line that says what went wrong: Fabric's programs write `Error: ...`, or a log line as their last. */
function failureReason(output: string, fallback: string): string {
  const lines = stripColors(output)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const line = lines.find((candidate) => /^Error: /i.test(candidate)) ?? lines.at(-1) ?? fallback;
  return line.replace(/^Error: /i, '');
}

/** Removes terminal colours. */
export function stripColors(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

import { CommanderError } from 'commander';

/** What the command's exit code says. */
export const EXIT_CODES_TEXT = `Exit codes:
  0    done
  1    an error; one sentence and its code are on standard error
  2    the command was not understood
  3    the contract refused the job; the refusal is on the ledger
  4    the job failed at its deadline, or was cancelled
  130  interrupted`;

/** The exit code of an error, as {@link EXIT_CODES_TEXT} lists them. */
export function exitCodeOf(error: unknown, interrupted: AbortSignal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (interrupted.aborted) return 130;
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (code === 'JOB_REFUSED') return 3;
  return code === 'JOB_FAILED' ? 4 : 1;
}

/** What the user reads of an error: one sentence, and its code where programs know one. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  // Errors of the operating system carry their code in the message.
  const known = typeof code === 'string' && !('syscall' in error) ? ` (${code})` : '';
  if (error.name === 'Error' && 'syscall' in error && code === 'ENOSPC')
    return 'No space is left on the disk. (ENOSPC)';
  return `${error.message}${known}`;
}

/**
 * Ends the process once its output is written. Everything was disposed of by now; a connection that a library keeps
 * open for reuse would otherwise hold the process for some seconds.
 */
export function ended(): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}

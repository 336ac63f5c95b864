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

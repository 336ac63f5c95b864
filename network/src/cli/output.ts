import { NetworkError } from '../errors.js';

/** Where a command writes: its result to standard output, what it is doing to standard error. */
export class Output {
  constructor(readonly json: boolean) {}

  readonly progress = (sentence: string): void => {
    if (!this.json) process.stderr.write(`${sentence} ...\n`);
  };

  /** The result: as JSON if it was asked for, otherwise as text. */
  result(value: unknown, text: string): void {
    process.stdout.write(this.json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
  }

  /** What went wrong, and the exit code that says so. */
  failure(error: unknown): number {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof NetworkError ? error.code : 'UNEXPECTED';
    if (this.json) process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
    else process.stderr.write(`${message}\n`);
    return code === 'INTERRUPTED' ? 130 : 1;
  }
}

/** Lines of columns, as wide as their longest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((widest, row) => {
    row.forEach((cell, column) => (widest[column] = Math.max(widest[column] ?? 0, cell.length)));
    return widest;
  }, []);
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

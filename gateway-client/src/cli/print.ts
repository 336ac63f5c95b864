/** Prints a value as JSON where the flag says so, else as lines for a person. */
export function print(flags: { json?: boolean }, value: unknown, lines: () => readonly string[]): void {
  console.log(flags.json ? JSON.stringify(value, undefined, 2) : lines().join('\n'));
}

import { Evaluators, openAgent, type AgentContext } from '../agent/index.js';
import { connect, type Connection } from '../connect/index.js';
import { Resources } from '../resources.js';

/** Works on a connection and closes it. */
export async function connected<T>(
  profile: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  using connection = await connect(profile);
  return await work(connection);
}

/** Works with the keys of an institution's agent, beside the agent itself. */
export async function asInstitution<T>(
  folder: string,
  signal: AbortSignal,
  work: (context: AgentContext) => Promise<T>,
): Promise<T> {
  await using resources = new Resources();
  // Started when something is encrypted or evaluated, which none of these commands does.
  const evaluators = resources.use(new Evaluators(1));
  const { context } = resources.use(await openAgent(folder, { evaluators, signal, report: () => undefined }));
  return await work(context);
}

/** Prints a record: JSON for programs, or text for people. */
export function show(value: unknown, json: boolean | undefined, text: () => string): void {
  console.log(json ? JSON.stringify(value, undefined, 2) : text());
}

/** Lines under each other whose parts stand in columns. */
export function columns(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((part, i) => part.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

import { report, type AgentContext } from './context.js';

/** After this long in which the first in line does not act, the next may, and so on. */
const TURN_MS = 15_000;

/** Whether it is this institution's turn: the first in line at once, each next one a while later. */
export function isTurn({ mspId, waiting }: AgentContext, what: string, line: readonly string[]): boolean {
  const position = line.indexOf(mspId);
  if (position <= 0) return position === 0;
  const since = waiting.get(what) ?? Date.now();
  waiting.set(what, since);
  return Date.now() >= since + position * TURN_MS;
}

/**
 * Ends a job that is no longer permitted on the ledger, so that the researcher reads why and nobody waits for its
 * deadline.
 */
export async function stopJob(
  context: AgentContext,
  jobId: string,
  line: readonly string[],
): Promise<boolean> {
  if (!isTurn(context, `stop ${jobId}`, line)) return false;
  const { refusal } = await context.consortium.jobs.stop({ jobId }, { signal: context.signal });
  report(context, 'stop', jobId, refusal ? `${refusal.code}: ${refusal.reason}` : 'stopped');
  return true;
}

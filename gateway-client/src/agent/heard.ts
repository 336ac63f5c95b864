import { hasEnded } from '../job/ended.js';
import type { AgentContext } from './context.js';

/** What events said of one thing since the last look at it. */
export interface Heard {
  /** How many events there were. */
  events: number;
  /** What the last of them called its state. */
  state: string | undefined;
}

/**
 * Notes that a job gives this institution nothing to do before it has moved on, or before so many more events of it: as
 * many institutions have to post first. Deadlines and turns pass without events; everything is looked at now and then.
 *
 * @returns false: nothing was done.
 */
export function waitFor(
  { expected }: AgentContext,
  { jobId, state }: { jobId: string; state: string },
  events = Infinity,
): false {
  expected.set(jobId, { state, events });
  return false;
}

/** Whether what was heard of a job may give this institution something to do. */
export function isExpected({ expected }: AgentContext, jobId: string, { events, state }: Heard): boolean {
  if (hasEnded(state)) return false;
  const before = expected.get(jobId);
  if (!before || before.state !== state) return true;
  before.events -= events;
  return before.events <= 0;
}

import type { JobView } from '@strokeshare/chaincode';

const ENDED: ReadonlySet<string | undefined> = new Set<JobView['state']>([
  'RELEASED',
  'SUPPRESSED',
  'REFUSED',
  'FAILED',
  'CANCELLED',
]);

/** Whether a job in this state gives nobody anything more to do. */
export const hasEnded = (state: string | undefined): boolean => ENDED.has(state);

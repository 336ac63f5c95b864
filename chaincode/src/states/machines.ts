/** The four state machines. Names are part of the public interface. */
import { type CeremonyLabel, type EpochState } from '../api/epochs.js';
import { type JobState } from '../api/jobs.js';
import { type AgreementState, type PermissionState } from '../api/permissions.js';
import { type Machine } from './machine.js';

/** All moves are stored. */
export const epochMachine: Machine<EpochState> = {
  record: 'key epoch',
  initial: ['OPEN'],
  moves: {
    OPEN: ['COMMITTED', 'ABORTED'],
    COMMITTED: ['ROUND1', 'ABORTED'],
    ROUND1: ['ROUND2', 'ABORTED'],
    ROUND2: ['ACTIVE', 'ABORTED'],
    ACTIVE: ['RETIRED'],
    RETIRED: [],
    ABORTED: [],
  },
};

/** What is committed and revealed in a state of the ceremony; when all of it is revealed, the state moves on. */
export const ceremonySteps: Partial<
  Record<EpochState, { labels: readonly CeremonyLabel[]; next?: EpochState }>
> = {
  OPEN: { labels: ['seed'], next: 'COMMITTED' },
  COMMITTED: { labels: ['publicKey', 'relin1'], next: 'ROUND1' },
  ROUND1: { labels: ['relin2'], next: 'ROUND2' },
  // Not the last dealing but n equal confirmations make the epoch active.
  ROUND2: { labels: ['dealing'] },
};

/** Computed from signatures, refusals and the period; nothing is stored. */
export const agreementMachine: Machine<AgreementState> = {
  record: 'agreement',
  initial: ['PROPOSED'],
  moves: {
    PROPOSED: ['ACTIVE', 'REFUSED', 'EXPIRED'],
    ACTIVE: ['EXPIRED'],
    EXPIRED: [],
    REFUSED: [],
  },
};

/** Computed from the permission's agreement and period; nothing is stored. */
export const permissionMachine: Machine<PermissionState> = {
  record: 'permission',
  initial: ['REQUESTED'],
  moves: {
    REQUESTED: ['GRANTED', 'DENIED', 'EXPIRED'],
    GRANTED: ['EXPIRED'],
    // Another agreement may be proposed after a refusal.
    DENIED: ['REQUESTED', 'EXPIRED'],
    EXPIRED: [],
  },
};

/** EVALUATING and FAILED are computed: from posted partials, and from the deadline. */
export const jobMachine: Machine<JobState> = {
  record: 'job',
  initial: ['SUBMITTED', 'REFUSED'],
  moves: {
    SUBMITTED: ['EVALUATING', 'REFUSED', 'FAILED'],
    // SUPPRESSED at once where institutions withhold every cell.
    EVALUATING: ['AGGREGATED', 'SUPPRESSED', 'REFUSED', 'FAILED'],
    AGGREGATED: ['COUNTED', 'REFUSED', 'FAILED'],
    COUNTED: ['RELEASED', 'SUPPRESSED', 'REFUSED', 'FAILED'],
    RELEASED: [],
    SUPPRESSED: [],
    REFUSED: [],
    FAILED: [],
  },
};

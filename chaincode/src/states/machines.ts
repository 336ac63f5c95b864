/** The state machines. Names are part of the public interface. */
import { type SharingState } from '../api/endorsement.js';
import { type CeremonyLabel, type EpochState } from '../api/epochs.js';
import { type Motion } from '../api/institutions.js';
import { type JobState } from '../api/jobs.js';
import { type AgreementState, type PermissionState, type VersionState } from '../api/permissions.js';
import { type Researcher } from '../api/researchers.js';
import { type Machine } from './machine.js';

/** All moves are stored. */
export const epochMachine: Machine<EpochState> = {
  record: 'key epoch',
  initial: ['OPEN'],
  moves: {
    OPEN: ['COMMITTED', 'ABORTED'],
    COMMITTED: ['ROUND1', 'ABORTED'],
    ROUND1: ['ROUND2', 'ABORTED'],
    ROUND2: ['ACTIVE', 'DISPUTED', 'ABORTED'],
    // The attempt is lost; what is left is to find out by whose fault.
    DISPUTED: ['ABORTED'],
    ACTIVE: ['RETIRED'],
    RETIRED: [],
    // Another attempt, with its own number and fresh randomness.
    ABORTED: ['OPEN'],
  },
};

/**
 * What is committed and revealed in a state of the ceremony, round after round: nothing of a round is revealed before
 * all members have committed to all of it, and a round begins when the one before is revealed. Members write only keys
 * of their own; one explicit transaction moves the state when everything is there.
 */
export const ceremonySteps: Readonly<
  Partial<Record<EpochState, { rounds: readonly (readonly CeremonyLabel[])[]; next: EpochState }>>
> = {
  OPEN: { rounds: [['seed']], next: 'COMMITTED' },
  COMMITTED: { rounds: [['publicKey', 'relin1']], next: 'ROUND1' },
  ROUND1: { rounds: [['relin2']], next: 'ROUND2' },
  // After the last round n equal confirmations make the epoch active.
  ROUND2: { rounds: [['dealing'], ['dealingCheck']], next: 'ACTIVE' },
};

/** Votes are keys of their own; closing the motion is the one stored move. */
export const motionMachine: Machine<Motion['state']> = {
  record: 'motion',
  initial: ['OPEN'],
  moves: { OPEN: ['CARRIED', 'REJECTED'], CARRIED: [], REJECTED: [] },
};

/** Each suspension has one who made it; the researcher is ACTIVE while there is none. */
export const researcherMachine: Machine<Researcher['status']> = {
  record: 'researcher',
  initial: ['ACTIVE'],
  moves: { ACTIVE: ['SUSPENDED'], SUSPENDED: ['ACTIVE'] },
};

/** Computed from signatures, refusals and the period; nothing is stored. */
export const agreementMachine: Machine<AgreementState> = {
  record: 'agreement',
  initial: ['PROPOSED'],
  moves: {
    PROPOSED: ['ACTIVE', 'REFUSED', 'EXPIRED'],
    ACTIVE: ['SUSPENDED', 'TERMINATED', 'EXPIRED'],
    SUSPENDED: ['ACTIVE', 'TERMINATED', 'EXPIRED'],
    TERMINATED: [],
    EXPIRED: [],
    REFUSED: [],
  },
};

/** Computed as well: the next version's last signature supersedes the one before; a later proposal, one that waits. */
export const agreementVersionMachine: Machine<VersionState> = {
  record: 'version of an agreement',
  initial: ['PROPOSED'],
  moves: {
    PROPOSED: ['IN_FORCE', 'REFUSED', 'SUPERSEDED'],
    IN_FORCE: ['SUPERSEDED'],
    REFUSED: ['SUPERSEDED'],
    SUPERSEDED: [],
  },
};

/** Computed from the permission's agreement and period; nothing is stored. */
export const permissionMachine: Machine<PermissionState> = {
  record: 'permission',
  initial: ['REQUESTED'],
  moves: {
    REQUESTED: ['GRANTED', 'DENIED', 'EXPIRED'],
    GRANTED: ['SUSPENDED', 'REVOKED', 'EXPIRED'],
    SUSPENDED: ['GRANTED', 'REVOKED', 'EXPIRED'],
    REVOKED: [],
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
    SUBMITTED: ['EVALUATING', 'REFUSED', 'FAILED', 'CANCELLED'],
    // SUPPRESSED at once where institutions withhold every cell.
    EVALUATING: ['AGGREGATED', 'SUPPRESSED', 'REFUSED', 'FAILED', 'CANCELLED'],
    AGGREGATED: ['COUNTED', 'REFUSED', 'FAILED', 'CANCELLED'],
    COUNTED: ['RELEASED', 'SUPPRESSED', 'REFUSED', 'FAILED', 'CANCELLED'],
    RELEASED: [],
    SUPPRESSED: [],
    REFUSED: [],
    FAILED: [],
    CANCELLED: [],
  },
};

/** Where a channel's scheme is not `none`; the state is in which of its two keys an entry has. */
export const sharingMachine: Machine<SharingState> = {
  record: 'sharing transaction',
  initial: ['PENDING'],
  moves: { PENDING: ['CONFIRMED'], CONFIRMED: [] },
};

/** Institutions of the consortium: who has a seat, and how seats are given and taken. */
import { z } from 'zod';
import {
  count,
  identifier,
  instant,
  label,
  mspId,
  researcherId,
  sealingKey,
  signingKey,
  text,
} from './primitives.js';

export const institutionLevels = ['national', 'provincial', 'municipal', 'county', 'community'] as const;
export type InstitutionLevel = (typeof institutionLevels)[number];

/** What a level may do besides what all levels may. */
export interface LevelRights {
  /** Hold a share of a collective key, and so open key epochs and release. */
  readonly holdsKeys: boolean;
  /** Propose to admit or exclude an institution, to suspend or restore a researcher. */
  readonly proposes: boolean;
  /** Run peer, storage node and agent of a smaller institution, which keeps identity and keys of its own. */
  readonly hosts: boolean;
}

/**
 * What each level may do. All levels own datasets, sign agreements about them and vote: the right over patients'
 * records does not depend on a hospital's size. Shares of keys lie with few large centres, so that t and n stay small.
 */
export const levelRights: Readonly<Record<InstitutionLevel, LevelRights>> = {
  national: { holdsKeys: true, proposes: true, hosts: true },
  provincial: { holdsKeys: true, proposes: true, hosts: true },
  municipal: { holdsKeys: true, proposes: true, hosts: true },
  county: { holdsKeys: false, proposes: true, hosts: false },
  community: { holdsKeys: false, proposes: false, hosts: false },
};

/**
 * Whether a member may hold a share of a key: by its level, and only on machines of its own. The centre that hosts a
 * member runs its agent, and would have two of the shares that are meant to lie with independent holders.
 */
export const mayHoldKeys = ({ level, hostedBy }: Pick<Seat, 'level' | 'hostedBy'>): boolean =>
  levelRights[level].holdsKeys && hostedBy === undefined;

/** Whether a member may be hosted by another: the host is of a higher level, and hosted by nobody. */
export const mayHost = (host: Seat, guest: Seat): boolean =>
  levelRights[host.level].hosts &&
  host.hostedBy === undefined &&
  institutionLevels.indexOf(host.level) < institutionLevels.indexOf(guest.level);

/** How many of the members who may vote have to approve. */
export const votingRules = ['majority', 'twoThirds', 'all'] as const;
export type VotingRule = (typeof votingRules)[number];

export const seat = z.strictObject({
  mspId,
  level: z.enum(institutionLevels),
  /** The centre above that runs its peer, storage node and agent. */
  hostedBy: mspId.optional(),
});
export type Seat = z.infer<typeof seat>;

/** The consortium's first act: the founding members and the rule by which they admit and exclude. */
export const foundConsortium = z.strictObject({
  members: z
    .array(seat)
    .min(1)
    .max(100)
    .refine((list) => new Set(list.map((entry) => entry.mspId)).size === list.length, 'names a member twice'),
  rule: z.enum(votingRules),
});
export type FoundConsortium = z.infer<typeof foundConsortium>;
export const consortiumRecord = foundConsortium.extend({ foundedBy: mspId, foundedAt: instant });
export type ConsortiumRecord = z.infer<typeof consortiumRecord>;

/** The caller's own organisation, which has a seat, enters its agent and keys. */
export const enrollInstitution = z.strictObject({
  name: label,
  /** Signs agreements and verdicts. */
  signingKey,
  /** Messages from one key holder to another are sealed to it. */
  sealingKey,
});
export type EnrollInstitution = z.infer<typeof enrollInstitution>;

/** A signing key and its period: what was signed within it stays verifiable for ever. */
export const signingPeriod = z.strictObject({
  signingKey,
  from: instant,
  /** Absent while the key is in use; what is signed from this instant on does not count. */
  until: instant.optional(),
});
export type SigningPeriod = z.infer<typeof signingPeriod>;

export const institution = enrollInstitution.extend({
  mspId,
  /** The seat's. */
  level: z.enum(institutionLevels),
  hostedBy: mspId.optional(),
  /** Subject of the agent's certificate: renewed certificates keep it. */
  subject: z.string(),
  status: z.enum(['ACTIVE', 'EXCLUDED']),
  enrolledAt: instant,
  /** All signing keys that the institution has had, the latest last. */
  signingKeys: z.array(signingPeriod).min(1).max(100),
});
export type Institution = z.infer<typeof institution>;

/**
 * The signing key of an institution at the instant at which a signature was committed. Agreements outlive keys: a
 * signature is verified with the key that was enrolled when it was given, also after a rotation, after an exclusion
 * and after a new admission with other keys.
 */
export const signingKeyAt = (
  { signingKeys }: Pick<Institution, 'signingKeys'>,
  at: string,
): string | undefined =>
  signingKeys.findLast(
    ({ from, until }) =>
      Date.parse(from) <= Date.parse(at) && (until === undefined || Date.parse(at) < Date.parse(until)),
  )?.signingKey;

/** New keys take the place of the enrolled ones, by the same agent. */
export const rotateKeys = z.strictObject({ signingKey, sealingKey });
export type RotateKeys = z.infer<typeof rotateKeys>;

export const getInstitution = z.strictObject({ mspId });

export const motionStates = ['OPEN', 'CARRIED', 'REJECTED'] as const;
const motionIdentity = { motionId: identifier, reason: text };
export const proposeMotion = z.discriminatedUnion('kind', [
  z.strictObject({
    ...motionIdentity,
    kind: z.literal('admit'),
    mspId,
    level: z.enum(institutionLevels),
    hostedBy: mspId.optional(),
  }),
  z.strictObject({ ...motionIdentity, kind: z.literal('exclude'), mspId }),
  z.strictObject({ ...motionIdentity, kind: z.literal('suspendResearcher'), researcherId }),
  z.strictObject({ ...motionIdentity, kind: z.literal('restoreResearcher'), researcherId }),
]);
export type ProposeMotion = z.infer<typeof proposeMotion>;
export const motion = z.strictObject({
  motionId: identifier,
  content: proposeMotion,
  state: z.enum(motionStates),
  proposedBy: mspId,
  proposedAt: instant,
  /** Set when the motion is closed. */
  approvals: count.optional(),
  /** How many were needed. */
  needed: count.optional(),
});
export type Motion = z.infer<typeof motion>;
export const voteOnMotion = z.strictObject({ motionId: identifier, approve: z.boolean() });
export type VoteOnMotion = z.infer<typeof voteOnMotion>;
export const motionVote = z.strictObject({ approve: z.boolean(), at: instant });
export const getMotion = z.strictObject({ motionId: identifier });
export const motionView = motion.extend({ votes: z.record(mspId, motionVote) });
export type MotionView = z.infer<typeof motionView>;

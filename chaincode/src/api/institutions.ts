/** Institutions of the consortium: who has a seat, and how seats are given and taken. */
import { z } from 'zod';
import { count, identifier, instant, label, mspId, sealingKey, signingKey, text } from './primitives.js';

export const institutionLevels = ['national', 'provincial', 'municipal', 'county', 'community'] as const;
export type InstitutionLevel = (typeof institutionLevels)[number];

/**
 * What each level may do besides contributing records, signing agreements and voting, which all may: hold a share of
 * a collective key (and so open key epochs and release), and propose to admit or exclude an institution.
 */
export const levelRights: Readonly<Record<InstitutionLevel, { holdsKeys: boolean; proposes: boolean }>> = {
  national: { holdsKeys: true, proposes: true },
  provincial: { holdsKeys: true, proposes: true },
  municipal: { holdsKeys: true, proposes: true },
  county: { holdsKeys: false, proposes: true },
  community: { holdsKeys: false, proposes: false },
};

/** How many of the members who may vote have to approve. */
export const votingRules = ['majority', 'twoThirds', 'all'] as const;
export type VotingRule = (typeof votingRules)[number];

export const seat = z.strictObject({ mspId, level: z.enum(institutionLevels) });
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

export const institution = enrollInstitution.extend({
  mspId,
  /** The seat's. */
  level: z.enum(institutionLevels),
  /** Subject of the agent's certificate: renewed certificates keep it. */
  subject: z.string(),
  status: z.enum(['ACTIVE', 'EXCLUDED']),
  enrolledAt: instant,
});
export type Institution = z.infer<typeof institution>;

export const getInstitution = z.strictObject({ mspId });

export const motionStates = ['OPEN', 'CARRIED', 'REJECTED'] as const;
export const proposeMotion = z.discriminatedUnion('kind', [
  z.strictObject({
    motionId: identifier,
    kind: z.literal('admit'),
    mspId,
    level: z.enum(institutionLevels),
    reason: text,
  }),
  z.strictObject({ motionId: identifier, kind: z.literal('exclude'), mspId, reason: text }),
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

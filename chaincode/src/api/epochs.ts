/** Key epochs: one collective key, made by all members over the ledger. */
import { z } from 'zod';
import {
  base64,
  count,
  distinct,
  identifier,
  instant,
  mspId,
  positive,
  sealingKey,
  sha256,
  text,
} from './primitives.js';

export const epochStates = [
  'OPEN',
  'COMMITTED',
  'ROUND1',
  'ROUND2',
  'DISPUTED',
  'ACTIVE',
  'RETIRED',
  'ABORTED',
] as const;
export type EpochState = (typeof epochStates)[number];
export const ceremonyLabels = ['seed', 'publicKey', 'relin1', 'relin2', 'dealing', 'dealingCheck'] as const;
export type CeremonyLabel = (typeof ceremonyLabels)[number];

/** An hour: a member's agent may be down for a while, and no ceremony hangs for ever. */
export const DEFAULT_STEP_SECONDS = 3600;
const stepSeconds = z
  .int()
  .min(10)
  .max(30 * 86_400);
/** A ceremony that has failed so often needs people, not another attempt. */
export const MAXIMUM_ATTEMPTS = 20;

export const openEpoch = z.strictObject({
  epochId: identifier,
  parameterSet: z.enum(['additive', 'standard', 'deep', 'toy']),
  /** How many members together can release. */
  threshold: positive.min(2),
  /** Their order is the holders' order: the first has index 1. */
  members: distinct(mspId, 2, 32),
  /** How long (seconds) each state of the ceremony may take. */
  stepSeconds: stepSeconds.default(DEFAULT_STEP_SECONDS),
  /** From then on the epoch is retired. */
  retiresAt: instant.optional(),
});
export type OpenEpoch = z.infer<typeof openEpoch>;

export const commitCeremony = z.strictObject({
  epochId: identifier,
  label: z.enum(ceremonyLabels),
  /** SHA-256 of the canonical JSON of (attempt, bytesHash, epochId, label, nonce, sender). */
  commitment: sha256,
});
export type CommitCeremony = z.infer<typeof commitCeremony>;

/** What the seed's message holds; its bytes are the contribution, then the sealing key. */
export const seedValue = z.strictObject({
  /** 32 random bytes. */
  contribution: z.base64().length(44),
  /** X-Wing key of this epoch, for the dealings. */
  sealingKey,
});

export const revealCeremony = z.strictObject({
  epochId: identifier,
  label: z.enum(ceremonyLabels),
  /** 32 bytes, hexadecimal. */
  nonce: z.string().regex(/^[0-9a-f]{64}$/, 'must be 32 bytes in lower-case hexadecimal'),
  /** SHA-256 of the message's bytes. */
  bytesHash: sha256,
  /** The message itself, for the seed only; all others travel as blobs. */
  value: seedValue.optional(),
});
export type RevealCeremony = z.infer<typeof revealCeremony>;

export const confirmEpoch = z.strictObject({
  epochId: identifier,
  publicKeyHash: sha256,
  relinKeysHash: sha256,
});
export type ConfirmEpoch = z.infer<typeof confirmEpoch>;

/** States of a ceremony that {@link advanceEpoch} moves on from. */
export const ceremonyStates = ['OPEN', 'COMMITTED', 'ROUND1', 'ROUND2', 'DISPUTED'] as const;
export const advanceEpoch = z.strictObject({
  epochId: identifier,
  /** The state that is complete; where another member was faster, the epoch is returned as it is. */
  from: z.enum(ceremonyStates),
});
export type AdvanceEpoch = z.infer<typeof advanceEpoch>;

/** Any member may: a share that its holder no longer gives is worth nothing to the others. */
export const retireEpoch = z.strictObject({ epochId: identifier, reason: text });

/** Begins the next attempt of an epoch that was aborted, with other members where it says so. */
export const restartEpoch = openEpoch.pick({ epochId: true, retiresAt: true }).extend({
  threshold: openEpoch.shape.threshold.optional(),
  members: openEpoch.shape.members.optional(),
  stepSeconds: stepSeconds.optional(),
});
export type RestartEpoch = z.infer<typeof restartEpoch>;

/** Says that the dealings fail their check, or that a share does not open. The attempt is lost from then on. */
export const disputeDealings = z.strictObject({ epochId: identifier, attempt: positive, reason: text });
export type DisputeDealings = z.infer<typeof disputeDealings>;

/** The message that shows the sealing key of a lost attempt, so that everybody can judge its dealings. */
export const discloseKey = z.strictObject({
  epochId: identifier,
  attempt: positive,
  disclosure: base64(1024),
});
export type DiscloseKey = z.infer<typeof discloseKey>;

/** What a member can be found to have done; the arithmetic's package says how each is found. */
export const offences = [
  'key withheld',
  'share not as committed',
  'shares inconsistent',
  'other secret shared',
  'check falsified',
  /** Disputed dealings that are sound. */
  'dispute unfounded',
] as const;
export const offender = z.strictObject({ member: mspId, offence: z.enum(offences) });
export type Offender = z.infer<typeof offender>;

/** One member's judgement; it comes of public messages alone, so that honest members find the same. */
export const judgeDealings = z.strictObject({
  epochId: identifier,
  attempt: positive,
  /** In the order of members, then of offences; empty where nobody can be named. */
  offenders: z.array(offender).max(64),
});
export type JudgeDealings = z.infer<typeof judgeDealings>;

export const abortEpoch = z.strictObject({ epochId: identifier, reason: text });
export type AbortEpoch = z.infer<typeof abortEpoch>;

/** SCHEDULE: its time is over. BUDGET: its flooding noise is used up. DECISION: a member gives its share no longer. */
export const retirementCauses = ['SCHEDULE', 'BUDGET', 'DECISION'] as const;

export const epoch = z.strictObject({
  epochId: identifier,
  /** Part of every commitment, so that no message serves twice. */
  attempt: positive,
  parameterSet: openEpoch.shape.parameterSet,
  parameterSetId: sha256,
  threshold: positive,
  members: z.array(mspId),
  state: z.enum(epochStates),
  openedBy: mspId,
  openedAt: instant,
  retiresAt: instant.optional(),
  stepSeconds: positive,
  /** Until then the present state of the ceremony has to be complete. */
  deadline: instant,
  /** 32 bytes in base64, combined by the contract from all contributions. */
  seed: base64(32).optional(),
  publicKeyHash: sha256.optional(),
  relinKeysHash: sha256.optional(),
  dispute: z.strictObject({ by: mspId, reason: z.string(), at: instant }).optional(),
  abort: z
    .strictObject({
      by: mspId,
      reason: z.string(),
      at: instant,
      /** Who had not done what the state needed when its deadline passed. */
      silent: z.array(mspId).optional(),
      /** Whom a majority of the members found to have dealt or disputed wrongly. */
      offenders: z.array(offender).optional(),
    })
    .optional(),
  retirement: z
    .strictObject({ by: mspId, cause: z.enum(retirementCauses), reason: z.string(), at: instant })
    .optional(),
});
export type Epoch = z.infer<typeof epoch>;

export const ceremonyCommitment = z.strictObject({ commitment: sha256, at: instant });
export const ceremonyReveal = revealCeremony.omit({ epochId: true, label: true }).extend({ at: instant });
export const epochConfirmation = confirmEpoch.omit({ epochId: true }).extend({ at: instant });

export const epochDisclosure = discloseKey.pick({ disclosure: true }).extend({ at: instant });
export const epochJudgement = judgeDealings.pick({ offenders: true }).extend({ hash: sha256, at: instant });

/** One member's message: the commitment, then what its reveal adds. */
export const ceremonyMessage = z.strictObject({
  commitment: sha256,
  nonce: z.string().optional(),
  bytesHash: sha256.optional(),
  value: seedValue.optional(),
});
export type CeremonyMessage = z.infer<typeof ceremonyMessage>;

export const epochView = epoch.extend({
  /** By label, by member. */
  messages: z.partialRecord(z.enum(ceremonyLabels), z.record(mspId, ceremonyMessage)),
  confirmations: z.record(mspId, epochConfirmation),
  disclosures: z.record(mspId, epochDisclosure),
  judgements: z.record(mspId, epochJudgement),
  /** How earlier attempts ended. */
  past: z.array(epoch),
  /** Coefficients of the flooding noise: what there is, and what jobs have reserved. */
  budget: z.strictObject({ capacity: count, reserved: count, exhausted: z.boolean() }),
});
export type EpochView = z.infer<typeof epochView>;

export const getEpoch = z.strictObject({ epochId: identifier });

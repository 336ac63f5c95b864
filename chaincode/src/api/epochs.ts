/** Key epochs: one collective key, made by all members over the ledger. */
import { z } from 'zod';
import {
  base64,
  distinct,
  identifier,
  instant,
  mspId,
  positive,
  sealingKey,
  sha256,
  text,
} from './primitives.js';

export const epochStates = ['OPEN', 'COMMITTED', 'ROUND1', 'ROUND2', 'ACTIVE', 'RETIRED', 'ABORTED'] as const;
export type EpochState = (typeof epochStates)[number];
export const ceremonyLabels = ['seed', 'publicKey', 'relin1', 'relin2', 'dealing', 'dealingCheck'] as const;
export type CeremonyLabel = (typeof ceremonyLabels)[number];

export const openEpoch = z.strictObject({
  epochId: identifier,
  parameterSet: z.enum(['additive', 'standard', 'deep', 'toy']),
  /** How many members together can release. */
  threshold: positive.min(2),
  /** Their order is the holders' order: the first has index 1. */
  members: distinct(mspId, 2, 32),
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
export const ceremonyStates = ['OPEN', 'COMMITTED', 'ROUND1', 'ROUND2'] as const;
export const advanceEpoch = z.strictObject({
  epochId: identifier,
  /** The state that is complete; where another member was faster, the epoch is returned as it is. */
  from: z.enum(ceremonyStates),
});
export type AdvanceEpoch = z.infer<typeof advanceEpoch>;

/** Any member may: a share that its holder no longer gives is worth nothing to the others. */
export const retireEpoch = z.strictObject({ epochId: identifier, reason: text });

export const abortEpoch = z.strictObject({ epochId: identifier, reason: text });
export type AbortEpoch = z.infer<typeof abortEpoch>;

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
  /** 32 bytes in base64, combined by the contract from all contributions. */
  seed: base64(32).optional(),
  publicKeyHash: sha256.optional(),
  relinKeysHash: sha256.optional(),
  abort: z.strictObject({ by: mspId, reason: z.string() }).optional(),
  retirement: z.strictObject({ by: mspId, reason: z.string(), at: instant }).optional(),
});
export type Epoch = z.infer<typeof epoch>;

export const ceremonyCommitment = z.strictObject({ commitment: sha256, at: instant });
export const ceremonyReveal = revealCeremony.omit({ epochId: true, label: true }).extend({ at: instant });
export const epochConfirmation = confirmEpoch.omit({ epochId: true }).extend({ at: instant });

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
});
export type EpochView = z.infer<typeof epochView>;

export const getEpoch = z.strictObject({ epochId: identifier });

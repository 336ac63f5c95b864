/** Every kind of record on the ledgers: its key's object type, its shape, and the word that errors use. */
import { z } from 'zod';
import { journalAnchor } from '../api/anchors.js';
import * as audit from '../api/audit.js';
import * as batch from '../api/batches.js';
import * as datasets from '../api/datasets.js';
import { deletion } from '../api/deletions.js';
import * as endorsement from '../api/endorsement.js';
import * as epochs from '../api/epochs.js';
import * as members from '../api/institutions.js';
import * as jobs from '../api/jobs.js';
import * as permissions from '../api/permissions.js';
import { count, identifier, positive } from '../api/primitives.js';
import { evaluationRecord } from '../api/records.js';
import { researcher } from '../api/researchers.js';

export interface RecordKind<T> {
  /** Object type of the composite key. */
  readonly type: string;
  readonly shape: z.ZodType<T>;
  readonly word: string;
}

const kind = <T>(type: string, shape: z.ZodType<T>, word: string): RecordKind<T> => ({ type, shape, word });

/** A number as a part of a key: wide enough for every safe integer, so that keys are in the order of their numbers. */
export const numberKey = (number: number): string => String(number).padStart(16, '0');

/** A counter that is raised once per job. */
const reservation = z.strictObject({ reserved: count });
/** Cells, and rho of differential privacy in millionths. */
const agreementReservation = reservation.extend({ microRho: count });

/** Consortium channel. The comment behind a kind names the parts of its key. */
export const consortiumRecords = kind('consortium', members.consortiumRecord, 'consortium'); // 'seats'
export const motions = kind('motion', members.motion, 'motion'); // motionId
export const motionVotes = kind('motion.vote', members.motionVote, 'vote'); // motionId, mspId
export const institutions = kind('institution', members.institution, 'institution'); // mspId
export const researchers = kind('researcher', researcher, 'researcher'); // researcherId
export const epochRecords = kind('epoch', epochs.epoch, 'key epoch'); // epochId
export const commitments = kind('epoch.commitment', epochs.ceremonyCommitment, 'commitment'); // epochId, attempt, label, mspId
export const reveals = kind('epoch.reveal', epochs.ceremonyReveal, 'reveal'); // epochId, attempt, label, mspId
export const confirmations = kind('epoch.confirmation', epochs.epochConfirmation, 'confirmation'); // epochId, attempt, mspId
export const disclosures = kind('epoch.disclosure', epochs.epochDisclosure, 'disclosure'); // epochId, attempt, mspId
export const judgements = kind('epoch.judgement', epochs.epochJudgement, 'judgement'); // epochId, attempt, mspId
export const pastAttempts = kind('epoch.attempt', epochs.epoch, 'attempt at the key epoch'); // epochId, attempt
/** What went into a seed or seals a dealing serves once: in one attempt of one epoch, by one member. */
export const usedSecrets = kind(
  'epoch.used',
  z.strictObject({ epochId: identifier, attempt: positive, mspId: identifier }),
  'use of this randomness',
); // SHA-256 of what was revealed
export const datasetRecords = kind('dataset', datasets.datasetRecord, 'dataset'); // datasetId
/** Made empty; after that the owner's own peer endorses what is written there, and no other. */
export const datasetVersions = kind(
  'dataset.version',
  z.union([datasets.versionAttestation, datasets.emptyVersionSlot]),
  'version of the dataset',
); // datasetId, number
export const datasetUses = kind('dataset.use', datasets.datasetUseRecord, 'use of the dataset'); // datasetId, jobId
export const permissionRecords = kind('permission', permissions.permission, 'permission'); // permissionId
export const permissionAgreements = kind(
  'permission.agreement',
  z.strictObject({ agreementId: identifier }),
  'agreement on the permission',
); // permissionId
export const agreementHeads = kind('agreement.head', permissions.agreementHead, 'agreement'); // agreementId
export const agreementVersions = kind('agreement', permissions.agreement, 'version of the agreement'); // agreementId, version
/** Made empty with the version; after that the owner's own peer endorses what is written there, and no other. */
export const agreementSlots = kind(
  'agreement.signature',
  z.union([permissions.agreementSignature, permissions.emptySlot]),
  'signature slot of the agreement',
); // agreementId, version, mspId
export const agreementRefusals = kind(
  'agreement.refusal',
  permissions.agreementRefusal,
  'refusal of the agreement',
); // agreementId, version, mspId
export const agreementSuspensions = kind(
  'agreement.suspension',
  permissions.agreementSuspension,
  'suspension of the agreement',
); // agreementId, mspId
export const agreementTerminations = kind(
  'agreement.termination',
  permissions.agreementTermination,
  'termination of the agreement',
); // agreementId, mspId
export const agreementBudgets = kind('agreement.budget', agreementReservation, 'release budget'); // agreementId
export const epochBudgets = kind('epoch.budget', reservation, 'flooding budget'); // epochId, shard
export const jobRecords = kind('job', jobs.job, 'job'); // jobId
export const openJobs = kind('job.open', jobs.openJobRecord, 'open job'); // jobId
export const jobPartials = kind('job.partials', jobs.partialsRecord, 'set of partials'); // jobId, mspId
export const jobAggregates = kind('job.aggregate', jobs.aggregateRecord, 'aggregate'); // jobId, cell
export const jobGroupSums = kind('job.sum', jobs.groupSumRecord, 'sum of a group'); // jobId, group, cell
export const jobCountShares = kind('job.countShares', jobs.countSharesRecord, 'set of count shares'); // jobId, round, mspId
export const jobVerdicts = kind('job.verdict', jobs.verdictRecord, 'verdict'); // jobId, round, mspId
export const jobOpened = kind('job.opened', jobs.openedRecord, 'set of opened shares'); // jobId, round, mspId
export const jobDealt = kind('job.dealt', jobs.dealtRecord, 'set of shares of a vector'); // jobId, mspId
export const jobValueShares = kind('job.valueShares', jobs.valueSharesRecord, 'set of value shares'); // jobId, round, mspId

export const auditEntries = kind('audit', audit.auditEntry, 'audit entry'); // at, entryId
export const auditReferences = kind('audit.about', audit.auditReference, 'audit reference'); // subject, id, at, entryId

/** Agreements under which there is something about a dataset or an institution. */
export const auditAgreements = kind('audit.agreement', audit.auditAgreement, 'agreement in the audit trail'); // subject, id, agreementId, entryId

/** Either channel. */
export const schemeRecords = kind('endorsement.scheme', endorsement.chosenScheme, 'endorsement scheme'); // 'chosen'
export const chainTips = kind('endorsement.tip', endorsement.chainTip, 'tip'); // 'tip'
export const sealedBlocks = kind('endorsement.block', endorsement.sealedBlock, 'block'); // height, ten digits
export const sharingPending = kind('sharing.pending', endorsement.pendingItem, 'pending entry'); // kind, id
export const sharingConfirmed = kind('sharing.confirmed', endorsement.confirmedItem, 'confirmed entry'); // kind, id
export const releases = kind('release', jobs.releaseRecord, 'record of a release'); // datasetId, affiliation, jobId

/** Private channels. */
export const batches = kind('batch', batch.batch, 'batch'); // mspId, datasetId, batchId
export const versionRecords = kind('version', datasets.versionRecord, 'version of the dataset'); // mspId, datasetId, number
export const evaluations = kind('evaluation', evaluationRecord, 'partial result'); // mspId, jobId, cell
/** In which batch a ciphertext is: the last one that was entered with it. */
export const batchBlobs = kind(
  'batch.blob',
  z.strictObject({ datasetId: identifier, batchId: identifier }),
  'place of the blob',
); // mspId, SHA-256
export const runningSums = kind('evaluation.running', evaluationRecord, 'running sum'); // mspId, jobId, batches, cell
export const journalAnchors = kind('journal.anchor', journalAnchor, 'anchor of the access journal'); // mspId, sequence
export const journalTips = kind('journal.tip', journalAnchor, 'last anchor of the access journal'); // mspId
export const deletions = kind('deletion', deletion, 'deletion'); // mspId, object

/**
 * Every transaction of both chaincodes in one table: its schemas, who may call it, whether it commits. Contracts,
 * clients, metadata and the tests' authorisation matrix are all built on it.
 */
import { z } from 'zod';
import * as audit from './audit.js';
import { buildInfoContract, endorsementContract } from './commonTransactions.js';
import * as datasets from './datasets.js';
import {
  byInstitution,
  byOperator,
  byResearcher,
  contract,
  reads,
  type TransactionDefinition,
} from './definition.js';
import * as epochs from './epochs.js';
import * as grants from './grants.js';
import * as institutions from './institutions.js';
import * as jobs from './jobs.js';
import * as permissions from './permissions.js';
import { listOf, listRequest } from './primitives.js';
import * as provenance from './provenance.js';
import { privateRecords } from './recordsTransactions.js';
import * as researchers from './researchers.js';

export {
  type Registration,
  type RequestOf,
  type ResponseOf,
  type TransactionDefinition,
} from './definition.js';
export { privateRecords } from './recordsTransactions.js';

/** Contracts of the chaincode `consortium` on the channel `consortium`. */
export const consortium = {
  InstitutionContract: contract('InstitutionContract', {
    Found: {
      ...byInstitution(
        'Names the founding members and the rule of their votes, once.',
        institutions.foundConsortium,
        institutions.consortiumRecord,
      ),
      registration: 'none',
    },
    Enroll: {
      ...byInstitution(
        'Enrolls the caller’s own organisation, which has a seat.',
        institutions.enrollInstitution,
        institutions.institution,
      ),
      registration: 'none',
    },
    RotateKeys: byInstitution(
      'Puts new keys in the place of the caller’s enrolled ones.',
      institutions.rotateKeys,
      institutions.institution,
    ),
    Propose: byInstitution(
      'Proposes to admit or exclude an institution, or to suspend or restore a researcher.',
      institutions.proposeMotion,
      institutions.motion,
    ),
    Vote: byInstitution('Votes on a motion, once.', institutions.voteOnMotion, institutions.motion),
    CloseMotion: byInstitution(
      'Counts the votes on a motion and does what was decided.',
      institutions.getMotion,
      institutions.motion,
    ),
    Seats: reads('Reads the members and their rule.', z.strictObject({}), institutions.consortiumRecord),
    Motion: reads('Reads one motion with its votes.', institutions.getMotion, institutions.motionView),
    Motions: reads('Lists motions by id.', listRequest, listOf(institutions.motion)),
    Get: reads('Reads one institution.', institutions.getInstitution, institutions.institution),
    List: reads('Lists institutions by MSP ID.', listRequest, listOf(institutions.institution)),
  }),
  ResearcherContract: contract('ResearcherContract', {
    Register: {
      ...byResearcher(
        'Registers the caller as a researcher.',
        researchers.registerResearcher,
        researchers.researcher,
      ),
      registration: 'none',
    },
    RotateKey: byResearcher(
      'Puts a new key in the place of the one that results are sealed to.',
      researchers.rotateResearcherKey,
      researchers.researcher,
    ),
    Suspend: byOperator(
      'Suspends a researcher of the operator’s own organisation.',
      researchers.suspendResearcher,
      researchers.researcher,
    ),
    Restore: byOperator(
      'Lifts the suspension by the researcher’s own organisation.',
      researchers.restoreResearcher,
      researchers.researcher,
    ),
    Affiliate: byOperator(
      'Changes the affiliation of a researcher of the operator’s own organisation.',
      researchers.affiliateResearcher,
      researchers.researcher,
    ),
    Get: reads(
      'Reads one researcher, or the caller’s own entry.',
      researchers.getResearcher,
      researchers.researcher,
    ),
    List: reads('Lists researchers by id.', listRequest, listOf(researchers.researcher)),
  }),
  KeyEpochContract: contract('KeyEpochContract', {
    Open: byInstitution('Opens the ceremony of a key epoch.', epochs.openEpoch, epochs.epoch),
    Commit: byInstitution('Commits to one message of the ceremony.', epochs.commitCeremony, epochs.epoch),
    Reveal: byInstitution(
      'Opens a commitment, once all members have committed to all messages of the round.',
      epochs.revealCeremony,
      epochs.epoch,
    ),
    Confirm: byInstitution('States the hashes of the combined keys.', epochs.confirmEpoch, epochs.epoch),
    Advance: byInstitution(
      'Moves the ceremony on once all members have revealed (or confirmed) what its state needs.',
      epochs.advanceEpoch,
      epochs.epoch,
    ),
    Retire: byInstitution(
      'Takes an active key epoch out of use, running jobs included.',
      epochs.retireEpoch,
      epochs.epoch,
    ),
    Abort: byInstitution(
      'Ends an attempt that has not become active; after its deadline the contract names who was silent.',
      epochs.abortEpoch,
      epochs.epoch,
    ),
    Restart: byInstitution(
      'Begins the next attempt of an epoch that was aborted.',
      epochs.restartEpoch,
      epochs.epoch,
    ),
    Dispute: byInstitution(
      'Ends an attempt whose dealings fail their check, and calls for disclosure.',
      epochs.disputeDealings,
      epochs.epoch,
    ),
    Disclose: byInstitution('Shows the sealing key of a disputed attempt.', epochs.discloseKey, epochs.epoch),
    Judge: byInstitution('States whom a member finds at fault.', epochs.judgeDealings, epochs.epoch),
    Get: reads('Reads a key epoch with all messages.', epochs.getEpoch, epochs.epochView),
    List: reads('Lists key epochs by id.', listRequest, listOf(epochs.epoch)),
  }),
  DatasetContract: contract('DatasetContract', {
    Register: byInstitution(
      'Registers a dataset of the caller’s institution, with the slot of its first version.',
      datasets.registerDataset,
      datasets.datasetView,
    ),
    OpenVersion: byInstitution(
      'Makes the slot of a dataset’s next version.',
      datasets.getDataset,
      datasets.datasetView,
    ),
    Attest: byInstitution(
      'Fills the slot of a version with what the caller’s private channel says of it.',
      datasets.attestVersion,
      datasets.versionAttestation,
    ),
    Withdraw: byInstitution(
      'Takes a dataset out of all future use, running jobs included.',
      datasets.withdrawDataset,
      datasets.datasetView,
    ),
    Get: reads('Reads one dataset with its current version.', datasets.getDataset, datasets.datasetView),
    List: reads('Lists datasets by id.', listRequest, listOf(datasets.datasetView)),
    GetVersion: reads('Reads one attested version.', datasets.getVersion, datasets.versionAttestation),
    ListVersions: reads(
      'Lists the attested versions of a dataset.',
      datasets.listVersions,
      listOf(datasets.versionAttestation),
    ),
    ListUses: reads(
      'Lists the jobs that used a dataset, or one of its batches.',
      datasets.listUses,
      listOf(jobs.datasetUse),
    ),
  }),
  PermissionContract: contract('PermissionContract', {
    Request: byResearcher(
      'Asks for access to datasets.',
      permissions.requestPermission,
      permissions.permission,
    ),
    Get: reads(
      'Reads one permission with its effective state.',
      permissions.getPermission,
      permissions.permissionView,
    ),
    List: reads('Lists permissions by id.', listRequest, listOf(permissions.permission)),
  }),
  AgreementContract: contract('AgreementContract', {
    Propose: byInstitution(
      'Proposes an agreement on a permission.',
      permissions.proposeAgreement,
      permissions.agreement,
    ),
    Amend: byInstitution(
      'Proposes another version of an agreement in force.',
      permissions.amendAgreement,
      permissions.agreement,
    ),
    Sign: byInstitution(
      'Fills the signature slot of one data owner.',
      permissions.signAgreement,
      permissions.agreementSlot,
    ),
    Refuse: byInstitution(
      'Refuses an agreement for one data owner.',
      permissions.refuseAgreement,
      permissions.agreementSlot,
    ),
    Suspend: byInstitution(
      'Suspends an agreement for one data owner.',
      permissions.suspendAgreement,
      permissions.agreementSlot,
    ),
    Resume: byInstitution(
      'Lifts the caller’s own suspension.',
      permissions.resumeAgreement,
      permissions.agreementSlot,
    ),
    Terminate: byInstitution(
      'Ends an agreement for good.',
      permissions.terminateAgreement,
      permissions.agreementSlot,
    ),
    Get: reads(
      'Reads one agreement with its effective state.',
      permissions.getAgreement,
      permissions.agreementView,
    ),
    Version: reads(
      'Reads one version of an agreement with its signatures.',
      permissions.getAgreementVersion,
      permissions.agreementVersionView,
    ),
    List: reads(
      'Lists agreements by id, each in its latest version.',
      listRequest,
      listOf(permissions.agreement),
    ),
  }),
  JobContract: contract('JobContract', {
    Submit: byResearcher('Submits a query; a refusal by policy is committed.', jobs.submitJob, jobs.jobView),
    Cancel: byResearcher('Gives up an own job that has not ended.', jobs.cancelJob, jobs.jobView),
    Stop: byInstitution(
      'Commits the refusal of a job whose next step is no longer permitted.',
      jobs.getJob,
      jobs.jobStep,
    ),
    ReplaceCommittee: byInstitution(
      'Names another committee where a holder has been silent too long.',
      jobs.getJob,
      jobs.jobStep,
    ),
    PostPartials: byInstitution(
      'Posts the hashes of an institution’s partials.',
      jobs.postPartials,
      jobs.jobStep,
    ),
    Aggregate: byInstitution('Adds the partials of whole cells.', jobs.aggregate, jobs.aggregateResponse),
    PostCountShares: byInstitution(
      'Posts count shares sealed to the committee.',
      jobs.postCountShares,
      jobs.jobStep,
    ),
    PostVerdict: byInstitution('Posts a signed verdict on every count.', jobs.postVerdict, jobs.jobStep),
    OpenCounts: byInstitution(
      'Posts the shares of passing counts in the open.',
      jobs.openCounts,
      jobs.jobStep,
    ),
    CloseCounts: byInstitution(
      'Computes the counts and decides about every cell.',
      jobs.getJob,
      jobs.jobView,
    ),
    DealVector: byInstitution(
      'Shares out an institution’s vector of a regression, sealed to every holder.',
      jobs.dealVector,
      jobs.jobStep,
    ),
    PostValueShares: byInstitution(
      'Posts value shares sealed to the researcher.',
      jobs.postValueShares,
      jobs.jobStep,
    ),
    CloseRelease: byInstitution(
      'Closes the job once all value shares are posted.',
      jobs.getJob,
      jobs.jobView,
    ),
    Get: reads('Reads one job with its effective state.', jobs.getJob, jobs.jobView),
    List: reads('Lists jobs by id.', listRequest, listOf(jobs.job)),
    ListOpen: reads(
      'Lists the jobs that have not ended and whose deadline has not passed, by id.',
      listRequest,
      listOf(jobs.openJobRecord),
    ),
    Partials: reads('Reads the hashes of all partials of a job.', jobs.getJob, jobs.partialsView),
    Aggregates: reads('Reads the aggregates of a job.', jobs.getJob, jobs.aggregatesView),
    Shares: reads('Reads all shares and verdicts of a job.', jobs.getJob, jobs.sharesView),
    Compared: reads(
      'Reads the earlier counts that disclosure control compares a job with.',
      jobs.getJob,
      jobs.comparedView,
    ),
    Access: reads('Decides whether a step of a job is permitted now.', jobs.getAccess, jobs.jobAccess),
  }),
  AuditContract: contract('AuditContract', {
    List: reads(
      'Lists decisions, refusals, releases and changes of rights in the order of time.',
      audit.listAudit,
      listOf(audit.auditEntry),
    ),
    Lineage: reads(
      'Reads what a job’s result was made from, by whom and under what, as W3C PROV-JSON.',
      jobs.getJob,
      provenance.provDocument,
    ),
  }),
  GrantContract: contract('GrantContract', {
    Check: reads(
      'Says whether somebody may read a blob from a storage node now.',
      grants.checkGrant,
      grants.grantDecision,
    ),
  }),
  EndorsementContract: endorsementContract('institution'),
  BuildInfoContract: buildInfoContract,
} as const;

/** All definitions of one chaincode. */
export function definitionsOf(chaincode: 'consortium' | 'records'): TransactionDefinition[] {
  return Object.values(chaincode === 'consortium' ? consortium : privateRecords).flatMap((entries) =>
    Object.values(entries as Record<string, TransactionDefinition>),
  );
}

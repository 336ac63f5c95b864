/** Entry for fabric-shim: `STROKESHARE_CONTRACTS` says which contracts this process serves. */
import 'reflect-metadata';
import { BuildInfoContract } from './buildInfo.js';
import { chosenContracts } from './chosen.js';
import { AuditContract } from './consortium/audit.js';
import { AgreementContract } from './consortium/agreements.js';
import { DatasetContract } from './consortium/datasets.js';
import { KeyEpochContract } from './consortium/epochs.js';
import { GrantContract } from './consortium/grants.js';
import { InstitutionContract } from './consortium/institutions.js';
import { JobContract } from './consortium/jobs.js';
import { PermissionContract } from './consortium/permissions.js';
import { ResearcherContract } from './consortium/researchers.js';
import { ConsortiumEndorsementContract, RecordsEndorsementContract } from './endorsement/contract.js';
import { hearOffers } from './ledger/messages.js';
import { RecordsContract } from './records/records.js';
import { readInPlace } from './shimBytes.js';
import { dropUnreadLines } from './shimLogging.js';

dropUnreadLines();
hearOffers();
readInPlace();

export const contractClasses = {
  consortium: [
    InstitutionContract,
    ResearcherContract,
    KeyEpochContract,
    DatasetContract,
    PermissionContract,
    AgreementContract,
    JobContract,
    AuditContract,
    GrantContract,
    ConsortiumEndorsementContract,
    BuildInfoContract,
  ],
  records: [RecordsContract, RecordsEndorsementContract, BuildInfoContract],
};

export const contracts = contractClasses[chosenContracts()];

/** The registry of institutions. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { type EnrollInstitution, type Institution } from '../api/institutions.js';
import { signingKeyOf } from '../api/signing.js';
import { consortium } from '../api/transactions.js';
import { institutions } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';

const definitions = consortium.InstitutionContract;

@Info({ title: 'InstitutionContract', description: 'Institutions: organisation, level, agent and keys.' })
export class InstitutionContract extends Contract {
  constructor() {
    super('InstitutionContract');
  }

  @Serves(definitions.Enroll)
  Enroll(context: Context, request: string): Promise<string> {
    return run(context, definitions.Enroll, request, enroll);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, ({ ledger }, { mspId }) => ledger.get(institutions, mspId));
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) => ledger.page(institutions, [], page));
  }
}

async function enroll(transaction: Transaction, request: EnrollInstitution): Promise<Institution> {
  signingKeyOf(request.signingKey);
  const { mspId, subject } = transaction.caller;
  const institution: Institution = {
    ...request,
    mspId,
    subject,
    status: 'ACTIVE',
    enrolledAt: transaction.at,
  };
  await transaction.ledger.create(institutions, institution, mspId);
  transaction.emit(mspId, institution.status);
  return institution;
}

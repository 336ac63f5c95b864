/** Permissions: what a researcher asks for. Granting is the agreement's doing. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { type Permission, type PermissionView, type RequestPermission } from '../api/permissions.js';
import { consortium } from '../api/transactions.js';
import { ContractError } from '../errors.js';
import { researcherIdOf } from '../ledger/caller.js';
import { datasetRecords, permissionRecords } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { agreementOn, permissionState } from './agreementState.js';

const definitions = consortium.PermissionContract;

@Info({ title: 'PermissionContract', description: 'Permissions that researchers ask for.' })
export class PermissionContract extends Contract {
  constructor() {
    super('PermissionContract');
  }

  @Serves(definitions.Request)
  Request(context: Context, request: string): Promise<string> {
    return run(context, definitions.Request, request, ask);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, view);
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) =>
      ledger.page(permissionRecords, [], page),
    );
  }
}

async function ask(transaction: Transaction, request: RequestPermission): Promise<Permission> {
  const { ledger, caller } = transaction;
  if (Date.parse(request.from) >= Date.parse(request.until))
    throw new ContractError('BAD_REQUEST', 'The period must end after it begins.');
  for (const datasetId of request.datasets) {
    const { schema, minimumCohort } = await ledger.get(datasetRecords, datasetId);
    const known = new Set(schema.variables.map(({ name }) => name));
    const unknown = request.variables.filter((name) => !known.has(name));
    if (unknown.length > 0)
      throw new ContractError('NOT_FOUND', `The dataset ${datasetId} has no variable ${unknown.join(', ')}.`);
    if (request.minimumCohort < minimumCohort)
      throw new ContractError(
        'BAD_REQUEST',
        `The dataset ${datasetId} asks for a minimum cohort of ${minimumCohort}.`,
      );
  }
  const permission: Permission = {
    ...request,
    researcherId: researcherIdOf(caller),
    requestedAt: transaction.at,
  };
  await ledger.create(permissionRecords, permission, request.permissionId);
  transaction.record({
    state: 'REQUESTED',
    researcherId: permission.researcherId,
    datasets: permission.datasets,
  });
  transaction.emit(request.permissionId, 'REQUESTED');
  return permission;
}

async function view(
  { ledger, now }: Transaction,
  { permissionId }: { permissionId: string },
): Promise<PermissionView> {
  const permission = await ledger.get(permissionRecords, permissionId);
  const agreement = await agreementOn(ledger, permissionId, now);
  const granted = agreement && ['ACTIVE', 'SUSPENDED'].includes(agreement.state);
  return {
    ...permission,
    state: permissionState(permission, agreement?.state, now),
    ...(agreement && { agreementId: agreement.head.agreementId }),
    ...(granted && { granted: agreement.version.agreement.content.permission }),
  };
}

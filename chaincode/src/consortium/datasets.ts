/** Datasets: what an owner offers, and under which conditions. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { byText } from '../api/canonical.js';
import { type Dataset, type RegisterDataset, type WithdrawDataset } from '../api/datasets.js';
import { datasetMerkleRoot } from '../api/merkle.js';
import { consortium } from '../api/transactions.js';
import { ContractError } from '../errors.js';
import { pend } from '../endorsement/sharing.js';
import { datasetRecords, epochRecords } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';

const definitions = consortium.DatasetContract;

@Info({ title: 'DatasetContract', description: 'Datasets: schema, roots of the batches, conditions of use.' })
export class DatasetContract extends Contract {
  constructor() {
    super('DatasetContract');
  }

  @Serves(definitions.Register)
  Register(context: Context, request: string): Promise<string> {
    return run(context, definitions.Register, request, register);
  }

  @Serves(definitions.Withdraw)
  Withdraw(context: Context, request: string): Promise<string> {
    return run(context, definitions.Withdraw, request, withdraw);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, ({ ledger }, { datasetId }) =>
      ledger.get(datasetRecords, datasetId),
    );
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) =>
      ledger.page(datasetRecords, [], page),
    );
  }
}

async function withdraw(transaction: Transaction, { datasetId, reason }: WithdrawDataset): Promise<Dataset> {
  const { ledger, caller, at } = transaction;
  const dataset = await ledger.get(datasetRecords, datasetId);
  if (dataset.owner !== caller.mspId)
    throw new ContractError('NOT_A_PARTY', `The dataset ${datasetId} belongs to ${dataset.owner}.`);
  requireState('dataset', dataset.status, ['ACTIVE']);
  const withdrawn: Dataset = { ...dataset, status: 'WITHDRAWN', withdrawal: { reason, at } };
  await ledger.put(datasetRecords, withdrawn, datasetId);
  transaction.record({ state: withdrawn.status, datasets: [datasetId], reason });
  transaction.emit(datasetId, withdrawn.status);
  return withdrawn;
}

async function register(transaction: Transaction, request: RegisterDataset): Promise<Dataset> {
  const { ledger, caller } = transaction;
  const epoch = await ledger.get(epochRecords, request.epochId);
  requireState('key epoch', epoch.state, ['ACTIVE']);
  const ids = request.batches.map(({ batchId }) => batchId);
  if (ids.some((id, i) => i > 0 && byText(ids[i - 1] ?? '', id) >= 0))
    throw new ContractError('BAD_REQUEST', 'The batches must be in ascending order of their ids.');
  if (datasetMerkleRoot(request.batches) !== request.merkleRoot)
    throw new ContractError('HASH_MISMATCH', 'The Merkle root is not that of the batches.');
  const dataset: Dataset = {
    ...request,
    owner: caller.mspId,
    status: 'ACTIVE',
    registeredAt: transaction.at,
  };
  await ledger.create(datasetRecords, dataset, request.datasetId);
  await pend(transaction, datasetRecords, dataset, request.datasetId);
  transaction.emit(request.datasetId, dataset.status);
  return dataset;
}

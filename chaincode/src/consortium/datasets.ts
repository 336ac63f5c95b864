/** Datasets: what an owner offers, under which conditions, version after version. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { consortium } from '../api/transactions.js';
import { datasetRecords } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run } from '../ledger/transaction.js';
import { viewDataset } from './datasetState.js';
import { usesOf } from './datasetUses.js';
import { attest, listVersions, openVersion, readVersion, register, withdraw } from './datasetVersions.js';

const definitions = consortium.DatasetContract;

@Info({ title: 'DatasetContract', description: 'Datasets: schema, conditions of use, attested versions.' })
export class DatasetContract extends Contract {
  constructor() {
    super('DatasetContract');
  }

  @Serves(definitions.Register)
  Register(context: Context, request: string): Promise<string> {
    return run(context, definitions.Register, request, register);
  }

  @Serves(definitions.OpenVersion)
  OpenVersion(context: Context, request: string): Promise<string> {
    return run(context, definitions.OpenVersion, request, openVersion);
  }

  @Serves(definitions.Attest)
  Attest(context: Context, request: string): Promise<string> {
    return run(context, definitions.Attest, request, attest);
  }

  @Serves(definitions.Withdraw)
  Withdraw(context: Context, request: string): Promise<string> {
    return run(context, definitions.Withdraw, request, withdraw);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, async ({ ledger }, { datasetId }) =>
      viewDataset(ledger, await ledger.get(datasetRecords, datasetId)),
    );
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, async ({ ledger }, page) => {
      const { items, ...rest } = await ledger.page(datasetRecords, [], page);
      return { items: await Promise.all(items.map((record) => viewDataset(ledger, record))), ...rest };
    });
  }

  @Serves(definitions.GetVersion)
  GetVersion(context: Context, request: string): Promise<string> {
    return run(context, definitions.GetVersion, request, readVersion);
  }

  @Serves(definitions.ListVersions)
  ListVersions(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListVersions, request, listVersions);
  }

  @Serves(definitions.ListUses)
  ListUses(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListUses, request, usesOf);
  }
}

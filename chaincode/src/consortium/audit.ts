/** The audit trail, and the lineage of results. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { type ProvDocument } from '../api/provenance.js';
import { consortium } from '../api/transactions.js';
import { lineageOf } from '../audit/lineage.js';
import { listEntries } from '../audit/trail.js';
import { agreementVersions, jobAggregates, jobPartials, jobRecords } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { versionKey } from './agreementState.js';
import { datasetsFor } from './datasetState.js';
import { idsOf } from './jobState.js';

const definitions = consortium.AuditContract;

@Info({
  title: 'AuditContract',
  description: 'Who asked what, what was decided and released, and from what.',
})
export class AuditContract extends Contract {
  constructor() {
    super('AuditContract');
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, query) => listEntries(ledger, query));
  }

  @Serves(definitions.Lineage)
  Lineage(context: Context, request: string): Promise<string> {
    return run(context, definitions.Lineage, request, lineage);
  }
}

async function lineage({ ledger }: Transaction, { jobId }: { jobId: string }): Promise<ProvDocument> {
  const job = await ledger.get(jobRecords, jobId);
  const { agreementId, agreementVersion } = job;
  const datasets = await datasetsFor(ledger, job.datasets, job.versions);
  return lineageOf({
    job,
    agreement: await ledger.get(agreementVersions, agreementId, versionKey(agreementVersion)),
    datasets: [...datasets.values()],
    partials: await ledger.findAll(jobPartials, [jobId], job.participants),
    aggregates: await ledger.findAll(jobAggregates, [jobId], idsOf(job.cells)),
  });
}

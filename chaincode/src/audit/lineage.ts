/**
 * The lineage of a job's result as W3C PROV: datasets of owners, evaluated by institutions under an agreement, added,
 * judged and released. A function of ledger records alone, so that everybody gets the same bytes.
 */
import { byText, digestOf } from '../api/canonical.js';
import { type Dataset } from '../api/datasets.js';
import { type AggregateRecord, type Job, type PartialsRecord } from '../api/jobs.js';
import { type Agreement } from '../api/permissions.js';
import { type ProvDocument } from '../api/provenance.js';

export interface LineageFacts {
  readonly job: Job;
  /** The version that the job names. */
  readonly agreement: Agreement;
  readonly datasets: readonly Dataset[];
  readonly partials: ReadonlyMap<string, PartialsRecord>;
  readonly aggregates: ReadonlyMap<string, AggregateRecord>;
}

/** A qualified name: parts joined by slashes, everything unusual percent-encoded. */
const name = (...parts: string[]): string =>
  `ss:${parts
    .map((part) =>
      [...Buffer.from(part)]
        .map((byte) => {
          const char = String.fromCharCode(byte);
          return /[A-Za-z0-9_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
        })
        .join(''),
    )
    .join('/')}`;
const typed = (value: string) => ({ 'prov:type': { $: value, type: 'prov:QUALIFIED_NAME' } });

/** Names of everything in the document. */
const nameOf = {
  dataset: (id: string) => name('dataset', id),
  agreement: ({ agreementId, content }: Agreement) => name('agreement', agreementId, String(content.version)),
  query: ({ jobId }: Job) => name('query', jobId),
  partials: ({ jobId }: Job, mspId: string) => name('partials', jobId, mspId),
  aggregate: ({ jobId }: Job, cell: string) => name('aggregate', jobId, cell),
  counts: ({ jobId }: Job) => name('counts', jobId),
  result: ({ jobId }: Job) => name('result', jobId),
  activity: ({ jobId }: Job, step: string, ...more: string[]) => name(step, jobId, ...more),
  institution: (mspId: string) => name('institution', mspId),
  researcher: (id: string) => name('researcher', id),
};

type Attributes = ProvDocument['entity'][string];

/** Collects a document; relations are numbered as they come. */
class Builder {
  readonly document = {
    prefix: { ss: 'urn:strokeshare:' },
    entity: {} as Record<string, Attributes>,
    activity: {} as Record<string, Attributes>,
    agent: {} as Record<string, Attributes>,
  };
  readonly relations: Record<string, Record<string, Record<string, string>>> = {};
  #count = 0;

  relate(kind: string, relation: Record<string, string>): void {
    (this.relations[kind] ??= {})[`_:${kind}${++this.#count}`] = relation;
  }

  used(activity: string, entity: string): void {
    this.relate('used', { 'prov:activity': activity, 'prov:entity': entity });
  }

  generated(entity: string, activity: string, time?: string): void {
    this.relate('wasGeneratedBy', {
      'prov:entity': entity,
      'prov:activity': activity,
      ...(time !== undefined && { 'prov:time': time }),
    });
  }

  by(activity: string, agent: string, plan?: string): void {
    this.relate('wasAssociatedWith', {
      'prov:activity': activity,
      'prov:agent': agent,
      ...(plan !== undefined && { 'prov:plan': plan }),
    });
  }

  derived(entity: string, from: string): void {
    this.relate('wasDerivedFrom', { 'prov:generatedEntity': entity, 'prov:usedEntity': from });
  }
}

export function lineageOf(facts: LineageFacts): ProvDocument {
  const builder = new Builder();
  enterParties(builder, facts);
  enterQuestion(builder, facts);
  enterEvaluation(builder, facts);
  if (facts.job.outcomes) enterRelease(builder, facts);
  return { ...builder.document, ...builder.relations } as ProvDocument;
}

function enterParties({ document }: Builder, facts: LineageFacts): void {
  const { job, agreement } = facts;
  const holders = (job.committee ?? []).map(({ mspId }) => mspId);
  const all = new Set([...agreement.content.owners, ...job.participants, ...holders]);
  for (const mspId of [...all].sort(byText))
    document.agent[nameOf.institution(mspId)] = { ...typed('prov:Organization'), 'ss:mspId': mspId };
  document.agent[nameOf.researcher(job.researcherId)] = {
    ...typed('prov:Person'),
    'ss:researcherId': job.researcherId,
  };
}

function enterQuestion(builder: Builder, { job, agreement, datasets }: LineageFacts): void {
  const { document } = builder;
  const { content, digest } = agreement;
  for (const { datasetId, owner, epochId, version, merkleRoot, manifestHash, status } of datasets) {
    document.entity[nameOf.dataset(datasetId)] = {
      ...typed('ss:Dataset'),
      'ss:version': version,
      'ss:merkleRoot': merkleRoot,
      'ss:manifestHash': manifestHash,
      'ss:keyEpoch': epochId,
      'ss:status': status,
    };
    builder.relate('wasAttributedTo', {
      'prov:entity': nameOf.dataset(datasetId),
      'prov:agent': nameOf.institution(owner),
    });
  }
  document.entity[nameOf.agreement(agreement)] = {
    ...typed('prov:Plan'),
    'ss:digest': digest,
    'ss:textHash': content.textHash,
    'ss:version': content.version,
  };
  for (const owner of content.owners)
    builder.relate('wasAttributedTo', {
      'prov:entity': nameOf.agreement(agreement),
      'prov:agent': nameOf.institution(owner),
    });
  const submission = nameOf.activity(job, 'submission');
  document.activity[submission] = { 'prov:startTime': job.submittedAt, 'prov:endTime': job.submittedAt };
  document.entity[nameOf.query(job)] = {
    ...typed('ss:Query'),
    'ss:queryDigest': digestOf(job.query),
    'ss:purpose': job.purpose,
    ...(job.planHash !== undefined && { 'ss:planHash': job.planHash }),
  };
  builder.generated(nameOf.query(job), submission, job.submittedAt);
  builder.by(submission, nameOf.researcher(job.researcherId), nameOf.agreement(agreement));
}

function enterEvaluation(builder: Builder, { job, datasets, partials, aggregates }: LineageFacts): void {
  const { document } = builder;
  for (const [mspId, record] of partials) {
    const evaluation = nameOf.activity(job, 'evaluation', mspId);
    const entity = nameOf.partials(job, mspId);
    document.activity[evaluation] = { 'prov:endTime': record.at };
    document.entity[entity] = {
      ...typed('prov:Collection'),
      'ss:digest': digestOf(record.partials),
      'ss:cells': Object.keys(record.partials).length,
      'ss:withheld': record.withheld.length,
    };
    builder.used(evaluation, nameOf.query(job));
    for (const { datasetId, owner } of datasets)
      if (owner === mspId) {
        builder.used(evaluation, nameOf.dataset(datasetId));
        builder.derived(entity, nameOf.dataset(datasetId));
      }
    builder.generated(entity, evaluation, record.at);
    builder.by(evaluation, nameOf.institution(mspId));
  }
  if (aggregates.size === 0) return;
  const aggregation = nameOf.activity(job, 'aggregation');
  document.activity[aggregation] = {};
  for (const mspId of partials.keys()) builder.used(aggregation, nameOf.partials(job, mspId));
  for (const [cell, { hash }] of aggregates) {
    const entity = nameOf.aggregate(job, cell);
    document.entity[entity] = { ...typed('ss:Aggregate'), 'ss:cell': cell, 'ss:sha256': hash };
    builder.generated(entity, aggregation);
    for (const [mspId, record] of partials)
      if (record.partials[cell] !== undefined) builder.derived(entity, nameOf.partials(job, mspId));
  }
}

function enterRelease(builder: Builder, { job, aggregates }: LineageFacts): void {
  const { document } = builder;
  const having = (kind: 'count' | 'value', status: string): string[] =>
    job.cells
      .filter((cell) => cell.kind === kind && job.outcomes?.[cell.id]?.status === status)
      .map(({ id }) => id);
  const gate = nameOf.activity(job, 'countGate');
  const counts = nameOf.counts(job);
  document.activity[gate] = {};
  document.entity[counts] = {
    ...typed('ss:Counts'),
    'ss:minimumCohort': job.minimumCohort,
    'ss:passed': having('count', 'PASSED').length,
    'ss:suppressed': having('count', 'SUPPRESSED').length,
    'ss:withheld': having('count', 'WITHHELD').length,
  };
  builder.generated(counts, gate);
  for (const cell of having('count', 'PASSED'))
    if (aggregates.has(cell)) {
      builder.used(gate, nameOf.aggregate(job, cell));
      builder.derived(counts, nameOf.aggregate(job, cell));
    }
  for (const { mspId } of job.committee ?? []) builder.by(gate, nameOf.institution(mspId));
  if (job.state !== 'RELEASED') return;
  const release = nameOf.activity(job, 'valueRelease');
  const result = nameOf.result(job);
  document.activity[release] = {};
  document.entity[result] = { ...typed('ss:Result'), 'ss:values': having('value', 'PASSED').length };
  builder.used(release, counts);
  builder.generated(result, release);
  builder.derived(result, counts);
  for (const cell of having('value', 'PASSED'))
    if (aggregates.has(cell)) {
      builder.used(release, nameOf.aggregate(job, cell));
      builder.derived(result, nameOf.aggregate(job, cell));
    }
  for (const { mspId } of job.committee ?? []) builder.by(release, nameOf.institution(mspId));
  builder.relate('wasAttributedTo', {
    'prov:entity': result,
    'prov:agent': nameOf.researcher(job.researcherId),
  });
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** What the institutions of an alliance do for a job: submission, evaluation, sums. */
import './environment.js';

import {
  type AnalysisPlan,
  type AnalysisQuery,
  blobHash,
  plan as compilePlan,
  workOf,
} from '@strokeshare/fhe';
import {
  aggregationLoad,
  chunksThatFit,
  comparisonsOf,
  consortium,
  evaluationLoad,
  groupsOf,
  type JobView,
  privateRecords,
  type RequestOf,
  type ResponseOf,
} from '../../src/index.js';

import { EPOCH, Foundation, type Institution, PURPOSE, schema } from './foundation.js';

export class Evaluations extends Foundation {
  submit(
    jobId: string,
    query: AnalysisQuery,
    changes: Partial<RequestOf<typeof consortium.JobContract.Submit>> = {},
  ) {
    return this.ask(consortium.JobContract.Submit, {
      jobId,
      agreementId: 'agreement-1',
      purpose: PURPOSE,
      query,
      ...changes,
    });
  }

  plan(query: AnalysisQuery, comparisons: readonly string[] = []): AnalysisPlan {
    const { set, threshold, institutions, holders } = this;
    const batches = institutions.reduce((sum, { records }) => sum + Math.ceil(records.length / set.slots), 0);
    return compilePlan(
      query,
      institutions.map(() => schema),
      set,
      { holders: holders.length, threshold, institutions: institutions.length, batches },
      undefined,
      comparisons,
    );
  }

  planOf({ query, cells }: Pick<JobView, 'query' | 'cells'>): AnalysisPlan {
    return this.plan(query, comparisonsOf(cells));
  }

  columnsFor(member: Institution): Record<string, Uint8Array> {
    return Object.fromEntries(member.columns);
  }

  /** One institution evaluates on its channel, keeps its blobs and posts their hashes. */
  async evaluate(job: JobView, member: Institution, withheld: readonly string[] = []): Promise<void> {
    const { jobId } = job;
    const cells = job.cells.map(({ id }) => id).filter((id) => !withheld.includes(id));
    const plan = this.planOf(job);
    const batches = this.batchesOf(member);
    const partials: Record<string, string> = {};
    for (const chunk of chunksThatFit(cells, (some) => evaluationLoad(plan, some, batches.size, this.set))) {
      const wanted = workOf(plan, chunk).columns;
      const transient: Record<string, Uint8Array> = { relinKeys: this.relinKeys };
      for (const [prefix, columns] of batches)
        for (const name of wanted) transient[`${prefix}/${name}`] = columns.get(name)!;
      const answer = await this.as(
        member,
        privateRecords.RecordsContract.Evaluate,
        { jobId, cells: chunk },
        transient,
      );
      Object.assign(partials, answer.partials);
      const own = await this.evaluator.evaluate({
        plan,
        cells: chunk,
        epochId: EPOCH,
        batches: batches.values(),
      });
      for (const blob of own.values()) this.blobs.set(blobHash(blob), blob);
    }
    await this.as(member, consortium.JobContract.PostPartials, { jobId, partials, withheld: [...withheld] });
  }

  /** The columns of every batch, by the beginning of their transient names. */
  batchesOf(member: Institution): Map<string, Map<string, Uint8Array>> {
    const batches = new Map<string, Map<string, Uint8Array>>();
    for (const [name, blob] of member.columns) {
      const prefix = name.split('/').slice(0, 3).join('/');
      const columns = batches.get(prefix) ?? new Map<string, Uint8Array>();
      batches.set(prefix, columns.set(name.slice(prefix.length + 1), blob));
    }
    return batches;
  }

  async partialBlobs(jobId: string): Promise<Record<string, Uint8Array>> {
    const { partials } = await this.ask(consortium.JobContract.Partials, { jobId });
    return Object.fromEntries(
      Object.entries(partials).flatMap(([mspId, record]) =>
        Object.entries(record.partials).map(([cell, hash]) => [
          `partial/${cell}/${mspId}`,
          this.blobs.get(hash)!,
        ]),
      ),
    );
  }

  /** Aggregates cells, as many at once as fit. */
  async aggregate(job: JobView, cells = job.cells.map(({ id }) => id), by = 0) {
    const partials = await this.partialBlobs(job.jobId);
    const groups = groupsOf((await this.get(job.jobId)).posted);
    const blobs = Object.entries(
      groups.length === 1 ? partials : await this.addGroups(job, cells, groups, partials, by),
    );
    const load = (some: readonly string[]) =>
      aggregationLoad(job, some, groups.length === 1 ? groups[0]!.length : groups.length, this.set);
    let answer: ResponseOf<typeof consortium.JobContract.Aggregate> | undefined;
    const chunks = cells.length > 0 ? chunksThatFit(cells, load) : [[]];
    for (const chunk of chunks) {
      const inputs = blobs.filter(([name]) => chunk.some((cell) => name.split('/')[1] === cell));
      const request = { jobId: job.jobId, cells: chunk };
      answer = await this.as(
        this.member(by),
        consortium.JobContract.Aggregate,
        request,
        Object.fromEntries(inputs),
      );
    }
    return answer!;
  }

  /** Sums of groups, for more institutions than one sum takes. */
  async addGroups(
    job: JobView,
    cells: readonly string[],
    groups: readonly (readonly string[])[],
    partials: Readonly<Record<string, Uint8Array>>,
    by = 0,
  ): Promise<Record<string, Uint8Array>> {
    const sums: Record<string, Uint8Array> = {};
    for (const [group, members] of groups.entries()) {
      const names = (cell: string): string[] => members.map((mspId) => `partial/${cell}/${mspId}`);
      const load = (some: readonly string[]) => aggregationLoad(job, some, members.length, this.set);
      for (const chunk of chunksThatFit(cells, load)) {
        const inputs = Object.fromEntries(chunk.flatMap(names).map((name) => [name, partials[name]!]));
        const request = { jobId: job.jobId, cells: chunk, group };
        await this.as(this.member(by), consortium.JobContract.Aggregate, request, inputs);
        for (const cell of chunk)
          sums[`sum/${cell}/${group}`] = await this.evaluator.add(
            EPOCH,
            names(cell).map((name) => partials[name]!),
          );
      }
    }
    return sums;
  }

  get(jobId: string): Promise<JobView> {
    return this.ask(consortium.JobContract.Get, { jobId });
  }
}

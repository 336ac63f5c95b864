/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** An alliance in memory that runs jobs: every step of institutions, committee and researcher. */
import './environment.js';

import {
  type AnalysisPlan,
  type AnalysisQuery,
  blobHash,
  cellValue,
  combineShares,
  decodeBlob,
  openSealed,
  plan as compilePlan,
  releaseShare,
  roundedCount,
  sealTo,
  workOf,
} from '@strokeshare/fhe';
import {
  aggregationLoad,
  chunksThatFit,
  consortium,
  evaluationLoad,
  groupsOf,
  type JobView,
  privateRecords,
  type RequestOf,
  type ResponseOf,
  signDetached,
} from '../../src/index.js';

import { EPOCH, Foundation, type Institution, PURPOSE, schema } from './foundation.js';

export { EPOCH };

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export class Alliance extends Foundation {
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

  plan(query: AnalysisQuery): AnalysisPlan {
    const { set, threshold, institutions, holders } = this;
    const batches = institutions.reduce((sum, { records }) => sum + Math.ceil(records.length / set.slots), 0);
    return compilePlan(
      query,
      institutions.map(() => schema),
      set,
      { holders: holders.length, threshold, institutions: institutions.length, batches },
    );
  }

  columnsFor(member: Institution): Record<string, Uint8Array> {
    return Object.fromEntries(member.columns);
  }

  /** One institution evaluates on its channel, keeps its blobs and posts their hashes. */
  async evaluate(job: JobView, member: Institution, withheld: readonly string[] = []): Promise<void> {
    const { jobId } = job;
    const cells = job.cells.map(({ id }) => id).filter((id) => !withheld.includes(id));
    const plan = this.plan(job.query);
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

  /** Sums the partials again and computes one holder's share of a cell. */
  async share(job: JobView, member: Institution, cellId: string): Promise<Uint8Array> {
    const cell = this.plan(job.query).cells.find(({ id }) => id === cellId)!;
    const blobs = await this.partialBlobs(job.jobId);
    const sum = await this.evaluator.add(
      EPOCH,
      Object.entries(blobs)
        .filter(([name]) => name.startsWith(`partial/${cellId}/`))
        .map(([, blob]) => blob),
    );
    const committee = job.committee!.map(({ index }) => index).sort((a, b) => a - b);
    const ciphertext = decodeBlob(sum, { kind: 'ciphertext', parameterSetId: this.set.id, epochId: EPOCH });
    return releaseShare(member.holder!, { ciphertext, committee, sigma: BigInt(cell.sigma) });
  }

  committee(job: JobView): Institution[] {
    return job.committee!.map(({ mspId }) => this.institutions.find((member) => member.mspId === mspId)!);
  }

  openCountCells(job: JobView, withheld: readonly string[] = []): string[] {
    return job.cells.filter(({ id, kind }) => kind === 'count' && !withheld.includes(id)).map(({ id }) => id);
  }

  /** The committee seals its count shares, opens them among itself, and signs its verdicts. */
  async judge(
    job: JobView,
    minimum: number,
    withheld: readonly string[] = [],
  ): Promise<Map<string, Map<string, Uint8Array>>> {
    const committee = this.committee(job);
    const cells = this.openCountCells(job, withheld);
    const shares = new Map<string, Map<string, Uint8Array>>();
    for (const member of committee) {
      const own = new Map<string, Uint8Array>();
      for (const cell of cells) own.set(cell, await this.share(job, member, cell));
      shares.set(member.mspId, own);
      const bundle = utf8(
        JSON.stringify(Object.fromEntries([...own].map(([cell, share]) => [cell, base64(share)]))),
      );
      const sealed: Record<string, string> = {};
      for (const other of committee)
        if (other !== member)
          sealed[other.mspId] = base64(await sealTo(other.sealing.publicKey, bundle, utf8(job.jobId)));
      await this.as(member, consortium.JobContract.PostCountShares, { jobId: job.jobId, sealed });
    }
    const verdicts = await this.verdicts(job, shares, minimum);
    for (const member of committee) await this.postVerdict(job, member, verdicts);
    return shares;
  }

  async verdicts(job: JobView, shares: Map<string, Map<string, Uint8Array>>, minimum: number) {
    const { aggregates } = await this.ask(consortium.JobContract.Aggregates, { jobId: job.jobId });
    const verdicts: Record<string, 'pass' | 'suppress'> = {};
    for (const cell of [...shares.values()][0]!.keys()) {
      const { scale } = job.cells.find(({ id }) => id === cell)!;
      const byIndex = new Map(
        job.committee!.map(({ mspId, index }) => [index, shares.get(mspId)!.get(cell)!]),
      );
      const residue = combineShares(this.set, { c0: bytes(aggregates[cell]!.c0), shares: byIndex });
      const count = roundedCount(
        residue,
        { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) },
        this.set.slots,
      );
      verdicts[cell] = count >= BigInt(minimum) ? 'pass' : 'suppress';
    }
    return verdicts;
  }

  async postVerdict(
    job: JobView,
    member: Institution,
    verdicts: Record<string, 'pass' | 'suppress'>,
    key = member.signing,
  ) {
    const content = {
      type: 'strokeshare/verdict' as const,
      version: 1 as const,
      jobId: job.jobId,
      planHash: job.planHash!,
      committee: job.committee!,
      mspId: member.mspId,
      verdicts,
    };
    return this.as(member, consortium.JobContract.PostVerdict, {
      jobId: job.jobId,
      verdicts,
      signature: signDetached(content, key),
    });
  }

  async openCounts(
    job: JobView,
    shares: Map<string, Map<string, Uint8Array>>,
    cells: readonly string[],
  ): Promise<void> {
    for (const member of this.committee(job)) {
      const own = shares.get(member.mspId)!;
      const opened = Object.fromEntries(cells.map((cell) => [cell, base64(own.get(cell)!)]));
      await this.as(member, consortium.JobContract.OpenCounts, { jobId: job.jobId, shares: opened });
    }
  }

  /** Value shares of every passing value cell, sealed to the researcher. */
  async releaseValues(job: JobView): Promise<void> {
    const cells = job.cells.filter(
      ({ id, kind }) => kind === 'value' && job.outcomes?.[id]?.status === 'PASSED',
    );
    for (const member of this.committee(job)) {
      const bundle: Record<string, string> = {};
      for (const { id } of cells) bundle[id] = base64(await this.share(job, member, id));
      const sealed = await sealTo(
        this.researcherKeys.publicKey,
        utf8(JSON.stringify(bundle)),
        utf8(job.jobId),
      );
      await this.as(member, consortium.JobContract.PostValueShares, {
        jobId: job.jobId,
        sealed: base64(sealed),
      });
    }
  }

  /** A whole job: everybody does its part, and the committee passes what has at least `minimum` patients. */
  async release(
    jobId: string,
    query: AnalysisQuery,
    changes: Partial<RequestOf<typeof consortium.JobContract.Submit>> = {},
    minimum = 20,
  ): Promise<JobView> {
    const job = await this.submit(jobId, query, changes);
    for (const member of this.institutions)
      if (job.participants.includes(member.mspId)) await this.evaluate(job, member);
    await this.aggregate(job);
    return this.conclude(jobId, minimum);
  }

  /** What is left of a job whose aggregates are on the ledger; to its end, or until its counts are closed. */
  async conclude(jobId: string, minimum = 20, until?: 'COUNTED'): Promise<JobView> {
    let job = await this.get(jobId);
    const shares = await this.judge(job, minimum);
    const passing = [...shares.values()][0]!;
    const verdicts = await this.verdicts(job, shares, minimum);
    await this.openCounts(
      job,
      shares,
      [...passing.keys()].filter((cell) => verdicts[cell] === 'pass'),
    );
    const [holder] = this.committee(job);
    job = await this.as(holder!, consortium.JobContract.CloseCounts, { jobId });
    if (until) return job;
    if (job.cells.some(({ id, kind }) => kind === 'value' && job.outcomes?.[id]?.status === 'PASSED'))
      await this.releaseValues(job);
    return this.as(holder!, consortium.JobContract.CloseRelease, { jobId });
  }

  /** What the researcher reads: the sum of every released value cell. */
  async values(job: JobView): Promise<Map<string, number>> {
    const { valueShares } = await this.ask(consortium.JobContract.Shares, { jobId: job.jobId });
    const { aggregates } = await this.ask(consortium.JobContract.Aggregates, { jobId: job.jobId });
    const bundles = new Map<number, Record<string, string>>();
    for (const { mspId, index } of job.committee!) {
      const opened = await openSealed(
        this.researcherKeys,
        bytes(valueShares[mspId]!.sealed),
        utf8(job.jobId),
      );
      bundles.set(index, JSON.parse(Buffer.from(opened).toString()) as Record<string, string>);
    }
    return new Map(
      Object.keys([...bundles.values()][0]!).map((cell) => {
        const { scale } = job.cells.find(({ id }) => id === cell)!;
        const shares = new Map([...bundles].map(([index, bundle]) => [index, bytes(bundle[cell]!)]));
        const residue = combineShares(this.set, { c0: bytes(aggregates[cell]!.c0), shares });
        return [
          cell,
          cellValue(
            residue,
            { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) },
            this.set.slots,
          ),
        ];
      }),
    );
  }
}

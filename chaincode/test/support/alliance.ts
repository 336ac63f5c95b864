/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** An alliance in memory that runs jobs: beside what institutions do, every step of committee and researcher. */
import {
  type AnalysisQuery,
  cellValue,
  combineShares,
  decodeBlob,
  openSealed,
  releaseShare,
  roundedCount,
  sealTo,
} from '@strokeshare/fhe';
import {
  cohortsOf,
  comparisonsOf,
  consortium,
  type JobView,
  releasable,
  type RequestOf,
  signDetached,
} from '../../src/index.js';
import { Evaluations } from './evaluations.js';
import { EPOCH, type Institution } from './foundation.js';

export { EPOCH };

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export class Alliance extends Evaluations {
  /** Sums the partials again and computes one holder's share of a cell. */
  async share(job: JobView, member: Institution, cellId: string): Promise<Uint8Array> {
    const cell = this.planOf(job).cells.find(({ id }) => id === cellId)!;
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
    return job.cells
      .filter(({ id, kind, comparison }) => kind === 'count' && !comparison && !withheld.includes(id))
      .map(({ id }) => id);
  }

  /** The committee seals its count shares, opens them among itself, and signs its verdicts. */
  async judge(
    job: JobView,
    minimum: number,
    withheld: readonly string[] = [],
  ): Promise<Map<string, Map<string, Uint8Array>>> {
    const committee = this.committee(job);
    const cells = [...this.openCountCells(job, withheld), ...comparisonsOf(job.cells)];
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

  /** From `minimum` patients on; where the job carries comparisons, by all rules. */
  async verdicts(job: JobView, shares: Map<string, Map<string, Uint8Array>>, minimum: number) {
    const counts = await this.counts(job, shares);
    const compared = new Set(comparisonsOf(job.cells));
    const common = new Map([...counts].filter(([cell]) => compared.has(cell)));
    const { data, known } = await this.ask(consortium.JobContract.Compared, { jobId: job.jobId });
    const asked = cohortsOf(job.cells, data).flatMap((cohort) => {
      const count = counts.get(cohort.cell);
      return count === undefined ? [] : [{ ...cohort, count }];
    });
    const open = releasable(asked, minimum, known, common);
    const passes = ({ cell, count }: { cell: string; count: number }): boolean =>
      common.size > 0 ? open.has(cell) : count >= minimum;
    return Object.fromEntries(
      asked.map((cohort) => [cohort.cell, passes(cohort) ? ('pass' as const) : ('suppress' as const)]),
    );
  }

  /** What the committee opens among itself. */
  async counts(job: JobView, shares: Map<string, Map<string, Uint8Array>>): Promise<Map<string, number>> {
    const { aggregates } = await this.ask(consortium.JobContract.Aggregates, { jobId: job.jobId });
    const cells = [...[...shares.values()][0]!.keys()];
    return new Map(
      cells.map((cell) => {
        const { scale } = job.cells.find(({ id }) => id === cell)!;
        const byIndex = new Map(
          job.committee!.map(({ mspId, index }) => [index, shares.get(mspId)!.get(cell)!]),
        );
        const residue = combineShares(this.set, { c0: bytes(aggregates[cell]!.c0), shares: byIndex });
        const exact = { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) };
        return [cell, Number(roundedCount(residue, exact, this.set.slots))];
      }),
    );
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

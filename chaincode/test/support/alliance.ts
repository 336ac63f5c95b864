/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** An alliance in memory: institutions with agents and records, a researcher, and every step that they take. */
import './environment.js';
import { createHash, type KeyObject, randomBytes } from 'node:crypto';
import {
  blobHash,
  cellValue,
  combineShares,
  commitment as commitmentOf,
  decodeBlob,
  encodeBlob,
  Evaluator,
  generateSealingKeyPair,
  type HolderKey,
  KeyCeremony,
  openSealed,
  packColumns,
  type ParameterSet,
  parameterSet,
  type PatientRecord,
  plan as compilePlan,
  type Plan,
  type Query,
  releaseShare,
  roundedCount,
  type Schema,
  sealTo,
  type SealingKeyPair,
  workOf,
} from '@strokeshare/fhe';
import {
  aggregationLoad,
  batchMerkleRoot,
  type CeremonyLabel,
  chunksThatFit,
  consortium,
  datasetMerkleRoot,
  evaluationLoad,
  type JobView,
  privateRecords,
  type RequestOf,
  type ResponseOf,
  signDetached,
  type TransactionDefinition,
} from '../../src/index.js';
import { type Identity, identity, signingKeys } from './identities.js';
import { MemoryLedger } from './memoryLedger.js';

export const EPOCH = 'epoch-1';
export const PURPOSE = 'DUO:0000007';
export const schema: Schema = {
  name: 'stroke',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295, missing: true },
    {
      name: 'STYPE',
      kind: 'categorical',
      levels: ['LACS', 'PACS', 'TACS'].map((code) => ({ code, label: code })),
    },
    { name: 'DEAD', kind: 'boolean' },
    { name: 'ATRIAL', kind: 'boolean' },
  ],
};
const EMPTY = new Uint8Array();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export interface Institution {
  mspId: string;
  agent: Identity;
  signing: KeyObject;
  signingPem: string;
  sealing: SealingKeyPair;
  records: PatientRecord[];
  datasetId: string;
  channel: string;
  holder?: HolderKey;
  columns: Map<string, Uint8Array>;
}

export class Alliance {
  readonly ledger = new MemoryLedger();
  readonly institutions: Institution[] = [];
  researcher!: Identity;
  researcherKeys!: SealingKeyPair;
  relinKeys: Uint8Array = EMPTY;
  publicKey: Uint8Array = EMPTY;
  /** Every partial and aggregate by its hash. */
  readonly blobs = new Map<string, Uint8Array>();

  private constructor(
    readonly set: ParameterSet,
    readonly threshold: number,
    readonly evaluator: Evaluator,
  ) {}

  /** Institutions enrolled and a researcher registered; no key yet. */
  static async create(cohorts: PatientRecord[][], threshold: number, setName = 'toy'): Promise<Alliance> {
    const set = parameterSet(setName);
    const alliance = new Alliance(set, threshold, await Evaluator.create(set));
    for (const [i, records] of cohorts.entries()) {
      const mspId = `Hospital${i + 1}MSP`;
      const { privateKey, pem } = signingKeys();
      const member: Institution = {
        mspId,
        agent: await identity(mspId, 'agent', 'institution'),
        signing: privateKey,
        signingPem: pem,
        sealing: await generateSealingKeyPair(),
        records,
        datasetId: `ist-${i + 1}`,
        channel: `hospital${i + 1}-records`,
        columns: new Map(),
      };
      alliance.institutions.push(member);
      await alliance.as(member, consortium.InstitutionContract.Enroll, {
        name: `Hospital ${i + 1}`,
        level: 'municipal',
        signingKey: pem,
        sealingKey: base64(member.sealing.publicKey),
      });
    }
    alliance.researcher = await identity('ResearchMSP', 'alice', 'researcher');
    alliance.researcherKeys = await generateSealingKeyPair();
    await alliance.ask(consortium.ResearcherContract.Register, {
      name: 'Alice',
      affiliation: 'Institute',
      sealingKey: base64(alliance.researcherKeys.publicKey),
    });
    return alliance;
  }

  /** All of it: epoch, datasets, an agreement `agreement-1` that covers everything. */
  static async ready(cohorts: PatientRecord[][], threshold: number, setName = 'toy'): Promise<Alliance> {
    const alliance = await Alliance.create(cohorts, threshold, setName);
    try {
      await alliance.makeKey();
      await alliance.shareRecords();
      await alliance.agree('1');
      return alliance;
    } catch (error) {
      // Its worker thread would keep the process.
      await alliance[Symbol.asyncDispose]();
      throw error;
    }
  }

  as<D extends TransactionDefinition>(
    member: Institution,
    definition: D,
    request: RequestOf<D>,
    transient?: Record<string, Uint8Array>,
  ) {
    const channel = definition.contract === 'RecordsContract' ? member.channel : undefined;
    return this.ledger.call(
      definition,
      request,
      { identity: member.agent, ...(transient && { transient }) },
      channel,
    );
  }

  ask<D extends TransactionDefinition>(definition: D, request: RequestOf<D>) {
    return this.ledger.call(definition, request, { identity: this.researcher });
  }

  member(index: number): Institution {
    return this.institutions[index]!;
  }

  /** The ceremony over the ledger, every message committed and revealed. */
  async makeKey(): Promise<void> {
    const members = this.institutions.map(({ mspId }) => mspId);
    const { set, threshold } = this;
    await this.as(this.member(0), consortium.KeyEpochContract.Open, {
      epochId: EPOCH,
      parameterSet: set.name,
      threshold,
      members,
    });
    const parties = new Map<string, KeyCeremony>();
    for (const self of members)
      parties.set(
        self,
        await KeyCeremony.create({ set, epochId: EPOCH, attempt: 1, members, self, threshold }),
      );
    const each = <T>(step: (party: KeyCeremony) => T) =>
      new Map([...parties].map(([name, party]) => [name, step(party)]));

    await this.exchange(
      'seed',
      each((party) => Buffer.concat([party.seedContribution(), party.sealingPublicKey])),
    );
    const epoch = await this.ask(consortium.KeyEpochContract.Get, { epochId: EPOCH });
    const seed = bytes(epoch.seed!);
    const shares = each((party) => party.publicKeyShare(seed));
    const round1 = each((party) => party.relinRound1());
    await this.exchange('publicKey', shares);
    await this.exchange('relin1', round1);
    this.publicKey = [...each((party) => party.combinePublicKey(shares)).values()][0]!;
    const round2 = each((party) => party.relinRound2(round1));
    await this.exchange('relin2', round2);
    this.relinKeys = [...each((party) => party.combineRelinKeys(round1, round2)).values()][0]!;
    const sealingKeys = new Map(
      members.map((name) => [name, bytes(epoch.messages.seed![name]!.value!.sealingKey)]),
    );
    const dealings = new Map<string, Uint8Array>();
    for (const [name, party] of parties) dealings.set(name, await party.dealings(sealingKeys));
    await this.exchange('dealing', dealings);
    for (const member of this.institutions) {
      member.holder = await parties.get(member.mspId)!.finish(dealings);
      await this.as(member, consortium.KeyEpochContract.Confirm, {
        epochId: EPOCH,
        publicKeyHash: blobHash(this.publicKey),
        relinKeysHash: blobHash(this.relinKeys),
      });
    }
  }

  /** One label: all commit, then all reveal. */
  async exchange(label: CeremonyLabel, messages: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const openings = new Map<string, { nonce: string; bytesHash: string }>();
    for (const member of this.institutions) {
      const nonce = randomBytes(32).toString('hex');
      const bytesHash = createHash('sha256').update(messages.get(member.mspId)!).digest('hex');
      openings.set(member.mspId, { nonce, bytesHash });
      const commitment = commitmentOf({
        epochId: EPOCH,
        attempt: 1,
        sender: member.mspId,
        label,
        nonce,
        bytesHash,
      });
      await this.as(member, consortium.KeyEpochContract.Commit, { epochId: EPOCH, label, commitment });
    }
    for (const member of this.institutions) {
      const message = messages.get(member.mspId)!;
      const value = label === 'seed' && {
        contribution: base64(message.subarray(0, 32)),
        sealingKey: base64(message.subarray(32)),
      };
      await this.as(member, consortium.KeyEpochContract.Reveal, {
        epochId: EPOCH,
        label,
        ...openings.get(member.mspId)!,
        ...(value && { value }),
      });
    }
  }

  /** Every institution encrypts its records and enters batch and dataset. */
  async shareRecords(): Promise<void> {
    await this.evaluator.loadPublicKey(EPOCH, this.publicKey);
    await this.evaluator.loadRelinKeys(EPOCH, this.relinKeys);
    for (const member of this.institutions) {
      const { datasetId } = member;
      const batches: { batchId: string; merkleRoot: string }[] = [];
      for (const [i, { rows, columns }] of packColumns(schema, member.records, this.set).batches.entries()) {
        const batchId = `batch-${i + 1}`;
        const names = [...columns.keys()];
        const blobs = await this.evaluator.encryptColumns(EPOCH, [...columns.values()]);
        names.forEach((name, k) => member.columns.set(`column/${datasetId}/${batchId}/${name}`, blobs[k]!));
        const hashes = Object.fromEntries(names.map((name, k) => [name, blobHash(blobs[k]!)]));
        const merkleRoot = batchMerkleRoot(hashes);
        batches.push({ batchId, merkleRoot });
        await this.as(member, privateRecords.RecordsContract.SubmitBatch, {
          batchId,
          datasetId,
          epochId: EPOCH,
          manifestHash: '0'.repeat(64),
          merkleRoot,
          rows,
          columns: hashes,
        });
      }
      await this.as(member, consortium.DatasetContract.Register, {
        datasetId,
        title: `Trial of ${member.mspId}`,
        epochId: EPOCH,
        schema,
        manifestHash: '0'.repeat(64),
        merkleRoot: datasetMerkleRoot(batches),
        batches,
        countsBand: { minimum: 1, maximum: 1000 },
        minimumCohort: 5,
        conditions: ['DUO:0000042'],
      });
    }
  }

  async request(
    name: string,
    changes: Partial<RequestOf<typeof consortium.PermissionContract.Request>> = {},
  ): Promise<void> {
    await this.ask(consortium.PermissionContract.Request, {
      permissionId: `permission-${name}`,
      datasets: this.institutions.map(({ datasetId }) => datasetId),
      variables: schema.variables.map((variable) => variable.name),
      statistics: ['count', 'mean', 'variance', 'crosstab'],
      purpose: PURPOSE,
      from: new Date(this.ledger.now - 1000).toISOString(),
      until: new Date(this.ledger.now + 30 * 86_400_000).toISOString(),
      minimumCohort: 20,
      releaseBudget: 500,
      ...changes,
    });
  }

  async propose(name: string): Promise<void> {
    await this.as(this.member(0), consortium.AgreementContract.Propose, {
      agreementId: `agreement-${name}`,
      permissionId: `permission-${name}`,
      textHash: '1'.repeat(64),
      terms: 'Counts and means by subtype.',
    });
  }

  async sign(name: string, member: Institution): Promise<void> {
    const agreementId = `agreement-${name}`;
    const { content } = await this.as(member, consortium.AgreementContract.Get, { agreementId });
    await this.as(member, consortium.AgreementContract.Sign, {
      agreementId,
      signature: signDetached(content, member.signing),
    });
  }

  async agree(
    name: string,
    changes: Partial<RequestOf<typeof consortium.PermissionContract.Request>> = {},
  ): Promise<void> {
    await this.request(name, changes);
    await this.propose(name);
    const { content } = await this.ask(consortium.AgreementContract.Get, {
      agreementId: `agreement-${name}`,
    });
    for (const member of this.institutions)
      if (content.owners.includes(member.mspId)) await this.sign(name, member);
  }

  submit(
    jobId: string,
    query: Query,
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

  plan(query: Query): Plan {
    const { set, threshold, institutions } = this;
    const batches = institutions.reduce((sum, { records }) => sum + Math.ceil(records.length / set.slots), 0);
    const holders = institutions.length;
    return compilePlan(
      query,
      institutions.map(() => schema),
      set,
      { holders, threshold, institutions: holders, batches },
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
  async aggregate(job: JobView, cells = job.cells.map(({ id }) => id)) {
    const blobs = Object.entries(await this.partialBlobs(job.jobId));
    const load = (some: readonly string[]) => aggregationLoad(job, some, job.participants.length, this.set);
    let answer: ResponseOf<typeof consortium.JobContract.Aggregate> | undefined;
    const chunks = cells.length > 0 ? chunksThatFit(cells, load) : [[]];
    for (const chunk of chunks) {
      const inputs = blobs.filter(([name]) => chunk.some((cell) => name.startsWith(`partial/${cell}/`)));
      const request = { jobId: job.jobId, cells: chunk };
      answer = await this.as(
        this.member(0),
        consortium.JobContract.Aggregate,
        request,
        Object.fromEntries(inputs),
      );
    }
    return answer!;
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

  /** A blob of another kind of content under the same header, for swaps. */
  otherBlob(body: Uint8Array): Uint8Array {
    return encodeBlob({ kind: 'ciphertext', parameterSetId: this.set.id, epochId: EPOCH }, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.evaluator[Symbol.asyncDispose]();
    for (const { holder } of this.institutions) holder?.[Symbol.dispose]();
  }
}

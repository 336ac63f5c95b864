/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** The foundation of an alliance in memory: institutions with agents, key and records, a researcher, agreements. */
import './environment.js';
import { createHash, type KeyObject, randomBytes } from 'node:crypto';
import {
  blobHash,
  commitment as commitmentOf,
  Evaluator,
  generateSealingKeyPair,
  type HolderKey,
  KeyCeremony,
  packColumns,
  type ParameterSet,
  parameterSet,
  type PatientRecord,
  type Schema,
  type SealingKeyPair,
} from '@strokeshare/fhe';
import {
  batchMerkleRoot,
  type CeremonyLabel,
  consortium,
  privateRecords,
  type RequestOf,
  signDetached,
  statisticKinds,
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
    { name: 'SURVIVAL', kind: 'timeToEvent', time: 'TD', event: 'DEAD', unit: 'day', grid: [7, 14] },
  ],
};
export const PROVENANCE = {
  sourceHash: '1'.repeat(64),
  mappingHash: '2'.repeat(64),
  software: 'test 1',
  readAt: '2026-11-22T10:00:00Z',
  readBy: 'records office',
};
const EMPTY = new Uint8Array();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
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

/** This class or one that extends it. */
type Kind<T> = new (set: ParameterSet, threshold: number, evaluator: Evaluator) => T;

export class Foundation {
  readonly ledger = new MemoryLedger();
  readonly institutions: Institution[] = [];
  /** How many of them, the first ones, hold the key; all unless told. */
  holderCount = Infinity;
  researcher!: Identity;
  /** Of the researcher's own organisation. */
  operator!: Identity;
  researcherKeys!: SealingKeyPair;
  relinKeys: Uint8Array = EMPTY;
  publicKey: Uint8Array = EMPTY;
  /** Of the key ceremony. */
  attempt = 1;
  /** Every partial and aggregate by its hash. */
  readonly blobs = new Map<string, Uint8Array>();

  constructor(
    readonly set: ParameterSet,
    readonly threshold: number,
    readonly evaluator: Evaluator,
  ) {}

  /** Institutions enrolled and a researcher registered; no key yet. */
  static async create<T extends Foundation>(
    this: Kind<T>,
    cohorts: PatientRecord[][],
    threshold: number,
    setName = 'toy',
    holders?: number,
  ): Promise<T> {
    const set = parameterSet(setName);
    const alliance = new this(set, threshold, await Evaluator.create(set));
    alliance.holderCount = holders ?? cohorts.length;
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
    }
    await alliance.as(alliance.member(0), consortium.InstitutionContract.Found, {
      members: alliance.institutions.map(({ mspId }) => ({ mspId, level: 'municipal' as const })),
      rule: 'majority',
    });
    for (const member of alliance.institutions) await alliance.enroll(member);
    alliance.researcher = await identity('ResearchMSP', 'alice', 'researcher');
    alliance.operator = await identity('ResearchMSP', 'operator', 'operator');
    alliance.researcherKeys = await generateSealingKeyPair();
    await alliance.ask(consortium.ResearcherContract.Register, {
      name: 'Alice',
      affiliation: 'Institute',
      sealingKey: base64(alliance.researcherKeys.publicKey),
    });
    return alliance;
  }

  /** All of it: epoch, datasets, an agreement `agreement-1` that covers everything. */
  static async ready<T extends Foundation>(
    this: Kind<T>,
    cohorts: PatientRecord[][],
    threshold: number,
    setName = 'toy',
    holders?: number,
  ): Promise<T> {
    const alliance = (await Foundation.create.call(this, cohorts, threshold, setName, holders)) as T;
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

  /** An institution that has a seat enters its agent and keys. */
  enroll(member: Institution) {
    return this.as(member, consortium.InstitutionContract.Enroll, {
      name: `Hospital of ${member.mspId}`,
      signingKey: member.signingPem,
      sealingKey: base64(member.sealing.publicKey),
    });
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

  get holders(): Institution[] {
    return this.institutions.slice(0, this.holderCount);
  }

  member(index: number): Institution {
    return this.institutions[index]!;
  }

  /** The ceremony over the ledger, every message committed and revealed. */
  async makeKey(): Promise<void> {
    const members = this.holders.map(({ mspId }) => mspId);
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

    await this.exchange({
      seed: each((party) => Buffer.concat([party.seedContribution(), party.sealingPublicKey])),
    });
    await this.advance('OPEN');
    const epoch = await this.ask(consortium.KeyEpochContract.Get, { epochId: EPOCH });
    const seed = bytes(epoch.seed!);
    const shares = each((party) => party.publicKeyShare(seed));
    const round1 = each((party) => party.relinRound1());
    await this.exchange({ publicKey: shares, relin1: round1 });
    await this.advance('COMMITTED');
    this.publicKey = [...each((party) => party.combinePublicKey(shares)).values()][0]!;
    const round2 = each((party) => party.relinRound2(round1));
    await this.exchange({ relin2: round2 });
    await this.advance('ROUND1');
    this.relinKeys = [...each((party) => party.combineRelinKeys(round1, round2)).values()][0]!;
    const sealingKeys = new Map(
      members.map((name) => [name, bytes(epoch.messages.seed![name]!.value!.sealingKey)]),
    );
    const dealings = new Map<string, Uint8Array>();
    for (const [name, party] of parties) dealings.set(name, await party.dealings(sealingKeys));
    await this.exchange({ dealing: dealings });
    const checks = new Map<string, Uint8Array>();
    for (const [name, party] of parties) checks.set(name, await party.dealingCheck(dealings));
    await this.exchange({ dealingCheck: checks });
    for (const member of this.holders) {
      member.holder = await parties.get(member.mspId)!.finish(dealings, { checks, publicKeys: shares });
      await this.as(member, consortium.KeyEpochContract.Confirm, {
        epochId: EPOCH,
        publicKeyHash: blobHash(this.publicKey),
        relinKeysHash: blobHash(this.relinKeys),
      });
    }
    await this.advance('ROUND2');
  }

  /** One member moves the ceremony on. */
  advance(from: RequestOf<typeof consortium.KeyEpochContract.Advance>['from'], index = 0) {
    return this.as(this.member(index), consortium.KeyEpochContract.Advance, { epochId: EPOCH, from });
  }

  /** One round: all commit to all labels, then all reveal. */
  async exchange(round: Partial<Record<CeremonyLabel, ReadonlyMap<string, Uint8Array>>>): Promise<void> {
    const reveals: (() => Promise<unknown>)[] = [];
    for (const [label, messages] of Object.entries(round) as [CeremonyLabel, Map<string, Uint8Array>][])
      reveals.push(...(await this.commitAll(label, messages)));
    for (const reveal of reveals) await reveal();
  }

  /** All commit to one label; what they reveal later is returned. */
  async commitAll(
    label: CeremonyLabel,
    messages: ReadonlyMap<string, Uint8Array>,
  ): Promise<(() => Promise<unknown>)[]> {
    const openings = new Map<string, { nonce: string; bytesHash: string }>();
    for (const member of this.holders) {
      const nonce = randomBytes(32).toString('hex');
      const bytesHash = createHash('sha256').update(messages.get(member.mspId)!).digest('hex');
      openings.set(member.mspId, { nonce, bytesHash });
      const commitment = commitmentOf({
        epochId: EPOCH,
        attempt: this.attempt,
        sender: member.mspId,
        label,
        nonce,
        bytesHash,
      });
      await this.as(member, consortium.KeyEpochContract.Commit, { epochId: EPOCH, label, commitment });
    }
    return this.holders.map((member) => {
      const message = messages.get(member.mspId)!;
      const value = label === 'seed' && {
        contribution: base64(message.subarray(0, 32)),
        sealingKey: base64(message.subarray(32)),
      };
      return () =>
        this.as(member, consortium.KeyEpochContract.Reveal, {
          epochId: EPOCH,
          label,
          ...openings.get(member.mspId)!,
          ...(value && { value }),
        });
    });
  }

  /** Every institution encrypts its records and enters batch and dataset. */
  async shareRecords(): Promise<void> {
    await this.evaluator.loadPublicKey(EPOCH, this.publicKey);
    await this.evaluator.loadRelinKeys(EPOCH, this.relinKeys);
    for (const member of this.institutions) {
      const { datasetId } = member;
      const batchIds: string[] = [];
      for (const [i, { rows, columns }] of packColumns(schema, member.records, this.set).batches.entries()) {
        const batchId = `batch-${i + 1}`;
        const names = [...columns.keys()];
        const blobs = await this.evaluator.encryptColumns(EPOCH, [...columns.values()]);
        names.forEach((name, k) => member.columns.set(`column/${datasetId}/${batchId}/${name}`, blobs[k]!));
        const hashes = Object.fromEntries(names.map((name, k) => [name, blobHash(blobs[k]!)]));
        const merkleRoot = batchMerkleRoot(hashes);
        batchIds.push(batchId);
        await this.as(member, privateRecords.RecordsContract.SubmitBatch, {
          batchId,
          datasetId,
          epochId: EPOCH,
          manifestHash: '0'.repeat(64),
          merkleRoot,
          rows,
          columns: hashes,
          provenance: PROVENANCE,
        });
      }
      await this.as(member, consortium.DatasetContract.Register, {
        datasetId,
        title: `Trial of ${member.mspId}`,
        schema,
        minimumCohort: 5,
        conditions: ['DUO:0000042'],
      });
      await this.attestVersion(member, 1, batchIds);
    }
  }

  /** Records a version on the private channel and attests it; the slot is there. */
  async attestVersion(member: Institution, version: number, batchIds: string[], epochId = EPOCH) {
    const { datasetId, channel } = member;
    await this.as(member, privateRecords.RecordsContract.SubmitVersion, {
      datasetId,
      version,
      epochId,
      manifestHash: '0'.repeat(64),
      batchIds,
    });
    return this.as(member, consortium.DatasetContract.Attest, {
      datasetId,
      version,
      recordsChannel: channel,
      block: 1,
    });
  }

  async request(
    name: string,
    changes: Partial<RequestOf<typeof consortium.PermissionContract.Request>> = {},
  ): Promise<void> {
    await this.ask(consortium.PermissionContract.Request, {
      permissionId: `permission-${name}`,
      datasets: this.institutions.map(({ datasetId }) => datasetId),
      variables: schema.variables.map((variable) => variable.name),
      statistics: [...statisticKinds],
      purpose: PURPOSE,
      from: new Date(this.ledger.now - 1000).toISOString(),
      until: new Date(this.ledger.now + 30 * 86_400_000).toISOString(),
      minimumCohort: 20,
      releaseBudget: 500,
      ...changes,
    });
  }

  async propose(name: string, by = 0): Promise<void> {
    await this.as(this.member(by), consortium.AgreementContract.Propose, {
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
    by = 0,
  ): Promise<void> {
    await this.request(name, changes);
    await this.propose(name, by);
    const { content } = await this.ask(consortium.AgreementContract.Get, {
      agreementId: `agreement-${name}`,
    });
    for (const member of this.institutions)
      if (content.owners.includes(member.mspId)) await this.sign(name, member);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.evaluator[Symbol.asyncDispose]();
    for (const { holder } of this.institutions) holder?.[Symbol.dispose]();
  }
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** The members of an alliance in memory: institutions with agents and records, a researcher; no key yet. */
import './environment.js';
import { type KeyObject } from 'node:crypto';
import {
  Evaluator,
  generateSealingKeyPair,
  type HolderKey,
  type ParameterSet,
  parameterSet,
  type PatientRecord,
  type Schema,
  type SealingKeyPair,
} from '@strokeshare/fhe';
import { consortium, type RequestOf, type TransactionDefinition } from '../../src/index.js';
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
export type Kind<T> = new (set: ParameterSet, threshold: number, evaluator: Evaluator) => T;

export class Members {
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
  static async create<T extends Members>(
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
      sealingKey: Buffer.from(alliance.researcherKeys.publicKey).toString('base64'),
    });
    return alliance;
  }

  /** An institution that has a seat enters its agent and keys. */
  enroll(member: Institution) {
    return this.as(member, consortium.InstitutionContract.Enroll, {
      name: `Hospital of ${member.mspId}`,
      signingKey: member.signingPem,
      sealingKey: Buffer.from(member.sealing.publicKey).toString('base64'),
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.evaluator[Symbol.asyncDispose]();
    for (const { holder } of this.institutions) holder?.[Symbol.dispose]();
  }
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** The foundation of an alliance in memory: its members with a key, their records, and agreements on them. */
import { blobHash, packColumns, type PatientRecord } from '@strokeshare/fhe';
import {
  batchMerkleRoot,
  consortium,
  privateRecords,
  type RequestOf,
  signDetached,
  statisticKinds,
} from '../../src/index.js';
import { Ceremony } from './ceremony.js';
import { EPOCH, type Institution, type Kind, PROVENANCE, PURPOSE, schema } from './members.js';

export { EPOCH, type Institution, PROVENANCE, PURPOSE, schema } from './members.js';

export class Foundation extends Ceremony {
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
}

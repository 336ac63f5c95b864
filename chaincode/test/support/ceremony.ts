/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** The key ceremony of an alliance in memory. */
import { createHash, randomBytes } from 'node:crypto';
import { blobHash, commitment as commitmentOf, KeyCeremony } from '@strokeshare/fhe';
import { type CeremonyLabel, consortium, type RequestOf } from '../../src/index.js';
import { EPOCH, Members } from './members.js';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export class Ceremony extends Members {
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
}

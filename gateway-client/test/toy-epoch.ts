import { epochSeed, KeyCeremony, type HolderKey, type ParameterSet } from '@strokeshare/fhe';

/** An epoch's keys. */
export interface EpochOfTest {
  /** In the members' order. */
  holderKeys: HolderKey[];
  publicKey: Uint8Array;
  relinKeys: Uint8Array;
}

/** Runs the key ceremony of all members in this process. */
export async function makeEpoch(
  set: ParameterSet,
  epochId: string,
  members: readonly string[],
  threshold: number,
): Promise<EpochOfTest> {
  const parties = await Promise.all(
    members.map((self) =>
      KeyCeremony.create({ set, epochId, attempt: 1, members: [...members], self, threshold }),
    ),
  );
  const byMember = <T>(values: readonly T[]): Map<string, T> =>
    new Map(members.map((member, index) => [member, values[index] as T]));
  const seed = epochSeed(
    parties.map((party, index) => ({ sender: members[index] ?? '', contribution: party.seedContribution() })),
  );
  const publicKeys = byMember(parties.map((party) => party.publicKeyShare(seed)));
  const round1 = byMember(parties.map((party) => party.relinRound1()));
  const round2 = byMember(parties.map((party) => party.relinRound2(round1)));
  const sealingKeys = byMember(parties.map((party) => party.sealingPublicKey));
  const dealings = byMember(await Promise.all(parties.map((party) => party.dealings(sealingKeys))));
  const [first] = parties;
  if (!first) throw new TypeError('an epoch has members');
  const publicKey = first.combinePublicKey(publicKeys);
  const relinKeys = first.combineRelinKeys(round1, round2);
  return {
    holderKeys: await Promise.all(parties.map((party) => party.finish(dealings))),
    publicKey,
    relinKeys,
  };
}

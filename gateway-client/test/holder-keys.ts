import { epochSeed, KeyCeremony, type HolderKey, type ParameterSet } from '@strokeshare/fhe';

/** The keys of all members of a ceremony that runs in this process, in the members' order. */
export async function makeHolderKeys(
  set: ParameterSet,
  epochId: string,
  members: readonly string[],
  threshold: number,
): Promise<HolderKey[]> {
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
  parties.forEach((party) => party.publicKeyShare(seed));
  const round1 = byMember(parties.map((party) => party.relinRound1()));
  parties.forEach((party) => party.relinRound2(round1));
  const sealingKeys = byMember(parties.map((party) => party.sealingPublicKey));
  const dealings = byMember(await Promise.all(parties.map((party) => party.dealings(sealingKeys))));
  return Promise.all(parties.map((party) => party.finish(dealings)));
}

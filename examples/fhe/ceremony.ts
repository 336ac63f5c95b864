/** A whole key ceremony in one process, as example 3 explains it, for the examples after that. */
import { epochSeed, type HolderKey, KeyCeremony, type ParameterSet } from '@strokeshare/fhe';

export interface Epoch {
  epochId: string;
  publicKey: Uint8Array;
  relinKeys: Uint8Array;
  holders: HolderKey[];
}

export async function holdCeremony(
  set: ParameterSet,
  members: readonly string[],
  threshold: number,
): Promise<Epoch> {
  const epochId = 'example-epoch';
  const parties: [string, KeyCeremony][] = [];
  for (const self of members)
    parties.push([self, await KeyCeremony.create({ set, epochId, attempt: 0, members, self, threshold })]);
  const ask = <T>(step: (party: KeyCeremony) => T): Map<string, T> =>
    new Map(parties.map(([name, party]) => [name, step(party)]));
  const askInTurn = async <T>(step: (party: KeyCeremony) => Promise<T>): Promise<Map<string, T>> => {
    const answers = new Map<string, T>();
    for (const [name, party] of parties) answers.set(name, await step(party));
    return answers;
  };

  const seed = epochSeed(
    parties.map(([sender, party]) => ({ sender, contribution: party.seedContribution() })),
  );
  const publicKeys = ask((party) => party.publicKeyShare(seed));
  const round1 = ask((party) => party.relinRound1());
  const round2 = ask((party) => party.relinRound2(round1));
  const sealingKeys = ask((party) => party.sealingPublicKey);
  const [publicKey] = ask((party) => party.combinePublicKey(publicKeys)).values();
  const [relinKeys] = ask((party) => party.combineRelinKeys(round1, round2)).values();
  if (!publicKey || !relinKeys) throw new Error('A ceremony needs a party.');
  const dealings = await askInTurn((party) => party.dealings(sealingKeys));
  const checks = await askInTurn((party) => party.dealingCheck(dealings));
  const holders = await askInTurn((party) => party.finish(dealings, { checks, publicKeys }));
  for (const [, party] of parties) party[Symbol.dispose]();
  return { epochId, publicKey, relinKeys, holders: [...holders.values()] };
}

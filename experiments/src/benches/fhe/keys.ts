import { epochSeed, type HolderKey, KeyCeremony, type ParameterSet } from '@strokeshare/fhe';

/** Keys of one epoch and all their holders, in one process: for a bench. */
export interface EpochKeys {
  readonly epochId: string;
  readonly publicKey: Uint8Array;
  readonly relinKeys: Uint8Array;
  readonly holders: readonly HolderKey[];
  readonly threshold: number;
}

/** Runs a key ceremony of `n` parties. */
export async function collectiveKeys(set: ParameterSet, n: number, threshold: number): Promise<EpochKeys> {
  const epochId = 'bench';
  const members = Array.from({ length: n }, (_, i) => `Hospital${i + 1}MSP`);
  const parties = new Map<string, KeyCeremony>();
  for (const self of members)
    parties.set(self, await KeyCeremony.create({ set, epochId, attempt: 0, members, self, threshold }));
  const ask = <T>(step: (party: KeyCeremony) => T): Map<string, T> =>
    new Map([...parties].map(([name, party]) => [name, step(party)]));
  const seed = epochSeed(
    [...parties].map(([sender, party]) => ({ sender, contribution: party.seedContribution() })),
  );
  const shares = ask((party) => party.publicKeyShare(seed));
  const round1 = ask((party) => party.relinRound1());
  const round2 = ask((party) => party.relinRound2(round1));
  const sealingKeys = ask((party) => party.sealingPublicKey);
  const [first] = parties.values();
  if (!first) throw new Error('A ceremony needs a party.');
  const publicKey = first.combinePublicKey(shares);
  const relinKeys = first.combineRelinKeys(round1, round2);
  const dealings = new Map<string, Uint8Array>();
  for (const [name, party] of parties) dealings.set(name, await party.dealings(sealingKeys));
  const holders: HolderKey[] = [];
  for (const party of parties.values()) {
    holders.push(await party.finish(dealings));
    party[Symbol.dispose]();
  }
  return { epochId, publicKey, relinKeys, holders, threshold };
}

/** Columns encrypted under a collective key, evaluated by plan and released by t holders: the whole of the arithmetic. */
import { randomBytes } from 'node:crypto';
import { decodeBlob } from '../bytes/index.js';
import { epochSeed, KeyCeremony } from '../ceremony/index.js';
import { packColumns } from '../columns/index.js';
import { parameterSet } from '../params/index.js';
import { plan } from '../plan/index.js';
import { type Query } from '../query/index.js';
import {
  cellValue,
  combineShares,
  type HolderKey,
  releaseShare,
  roundedCount,
  sumOfC0,
} from '../release/index.js';
import { parseSchema } from '../schema/index.js';
import { Evaluator } from './evaluator.js';

const set = parameterSet('toy');
const epochId = 'epoch-1';
const members = ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP', 'Hospital4MSP'];
const threshold = 3;

const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295 },
    { name: 'RCONSC', kind: 'ordinal', levels: ['F', 'D', 'U'].map((code) => ({ code, label: code })) },
    { name: 'DEAD', kind: 'boolean' },
  ],
});
const query: Query = {
  version: 1,
  statistics: [
    { id: 'sbp', kind: 'variance', variable: 'RSBP', by: ['RCONSC'] },
    { id: 'table', kind: 'crosstab', rows: 'RCONSC', columns: 'DEAD' },
  ],
};

async function collectiveKeys() {
  const parties = await Promise.all(
    members.map((self) => KeyCeremony.create({ set, epochId, attempt: 1, members, self, threshold })),
  );
  const messages = <T>(make: (party: KeyCeremony) => T) =>
    new Map(parties.map((party, i) => [members[i]!, make(party)]));
  const seed = epochSeed(
    parties.map((party, i) => ({ sender: members[i]!, contribution: party.seedContribution() })),
  );
  const shares = messages((party) => party.publicKeyShare(seed));
  const round1 = messages((party) => party.relinRound1());
  const round2 = messages((party) => party.relinRound2(round1));
  const sealingKeys = messages((party) => party.sealingPublicKey);
  const [first] = parties;
  const publicKey = first!.combinePublicKey(shares);
  const relinKeys = first!.combineRelinKeys(round1, round2);
  const dealings = new Map<string, Uint8Array>();
  for (const [i, party] of parties.entries()) dealings.set(members[i]!, await party.dealings(sealingKeys));
  const holders: HolderKey[] = [];
  for (const party of parties) holders.push(await party.finish(dealings));
  return { publicKey, relinKeys, holders };
}

test('every committee releases exact counts, and sums within the error that the plan states', async () => {
  const { publicKey, relinKeys, holders } = await collectiveKeys();
  await using evaluator = await Evaluator.create(set);
  await evaluator.loadPublicKey(epochId, publicKey);
  await evaluator.loadRelinKeys(epochId, relinKeys);

  const random = () => randomBytes(4).readUInt32LE();
  const institutions = members.map(() =>
    packColumns(
      schema,
      Array.from({ length: 300 + (random() % 300) }, () => ({
        RSBP: 70 + (random() % 226),
        RCONSC: ['F', 'D', 'U'][random() % 3]!,
        DEAD: random() % 5 === 0,
      })),
      set,
    ),
  );
  const batches = institutions.reduce((sum, institution) => sum + institution.batches.length, 0);
  const made = plan(query, [schema], set, { holders: 4, threshold, institutions: 4, batches });
  const cells = made.cells.map((cell) => cell.id);
  const partials = [];
  for (const institution of institutions) {
    const encrypted = [];
    for (const { columns } of institution.batches) {
      const blobs = await evaluator.encryptColumns(epochId, [...columns.values()]);
      encrypted.push(new Map([...columns.keys()].map((name, i) => [name, blobs[i]!])));
    }
    partials.push(await evaluator.evaluate({ plan: made, cells, epochId, batches: encrypted }));
  }

  const deviations: number[] = [];
  const counts: { released: bigint; plain: number }[] = [];
  for (const cell of made.cells) {
    const aggregate = await evaluator.add(
      epochId,
      partials.map((partial) => partial.get(cell.id)!),
    );
    const ciphertext = decodeBlob(aggregate, { kind: 'ciphertext', parameterSetId: set.id, epochId });
    const plain = institutions
      .flatMap((institution) => institution.batches)
      .reduce(
        (sum, { rows, columns }) =>
          sum +
          Array.from({ length: rows }, (_, row) =>
            cell.factors.reduce((product, name) => product * columns.get(name)![row]!, 1),
          ).reduce((a, b) => a + b, 0),
        0,
      );
    const scale = { numerator: BigInt(cell.scale.numerator), denominator: BigInt(cell.scale.denominator) };
    for (const committee of [
      [1, 2, 3],
      [1, 2, 4],
      [1, 3, 4],
      [2, 3, 4],
    ]) {
      const shares = new Map(
        committee.map((index) => [
          index,
          releaseShare(holders[index - 1]!, { ciphertext, committee, sigma: BigInt(cell.sigma) }),
        ]),
      );
      const residue = combineShares(set, { c0: sumOfC0(ciphertext, set), shares });
      const error = cellValue(residue, scale, set.slots) - plain;
      if (cell.kind === 'count') counts.push({ released: roundedCount(residue, scale, set.slots), plain });
      deviations.push(error / Number(cell.errorDeviation));
    }
  }
  expect(counts).toHaveLength(36);
  expect(counts.map(({ released }) => Number(released))).toEqual(counts.map(({ plain }) => plain));
  // 60 releases: the sum of squared standardised errors is chi-square, here within odds of 10^-6 on either side.
  expect(deviations).toHaveLength(60);
  const chiSquare = deviations.reduce((sum, deviation) => sum + deviation ** 2, 0);
  expect(chiSquare).toBeGreaterThan(21);
  expect(chiSquare).toBeLessThan(126);
  for (const holder of holders) holder[Symbol.dispose]();
});

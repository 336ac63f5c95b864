import { encrypt, exactValue, holder, stage, type Stage } from '../../test/attacks/stage.js';
import { chooseCommittee, committeesAmong, inspectShares } from './committee.js';
import { releaseShare, sumOfC0 } from './share.js';

const sigma = 1n << 40n;
const threshold = 3;
let scene: Stage;
beforeAll(async () => {
  scene = await stage('toy', 6, threshold);
});

/** Every committee's shares of one ciphertext; liars add to theirs. */
function releases(ciphertext: Uint8Array, holders: number[], lies: ReadonlyMap<number, number>) {
  return committeesAmong(holders, threshold).map(
    (committee) =>
      new Map(
        committee.map((index) => {
          const share = releaseShare(holder(scene, index), { ciphertext, committee, sigma });
          const at = lies.get(index);
          if (at !== undefined) share[at] = (share[at] ?? 0) ^ 1;
          return [index, share];
        }),
      ),
  );
}

function inspect(holders: number[], lies: ReadonlyMap<number, number>) {
  const { body } = encrypt(scene, new Float64Array(scene.set.slots).fill(0.25));
  const exact = exactValue(scene, body);
  const inspection = inspectShares(scene.set, {
    c0: sumOfC0(body, scene.set),
    releases: releases(body, holders, lies),
    isPlausible: (residue) => residue > -(1n << 75n) && residue < 1n << 75n,
    tolerance: 32n * sigma,
  });
  const { residue } = inspection;
  const isRight = residue !== undefined && (residue - exact) ** 2n < (16n * sigma) ** 2n;
  return { inconsistent: inspection.inconsistent, isRight };
}

describe('inspectShares', () => {
  it.each([1, 2, 5, 6])('names holder %i among t + 1, and gives the result without it', (liar) => {
    const holders = [1, 2, 5, 6];
    expect(inspect(holders, new Map([[liar, 3]]))).toEqual({ inconsistent: [liar], isRight: true });
  });

  it('names two among t + 2, and nobody among the honest', () => {
    const lies = new Map([
      [2, 6],
      [4, 14],
    ]);
    expect(inspect([1, 2, 3, 4, 5], lies)).toEqual({ inconsistent: [2, 4], isRight: true });
    expect(inspect([1, 2, 3, 4], new Map())).toEqual({ inconsistent: [], isRight: true });
  });

  it('names nobody where more lie than can be told apart', () => {
    const lies = new Map([
      [1, 3],
      [2, 4],
    ]);
    expect(inspect([1, 2, 3, 4], lies)).toEqual({ inconsistent: [], isRight: false });
  });
});

describe('chooseCommittee', () => {
  it('takes the smallest committee that is left, whoever is missing', () => {
    const epoch = { threshold, members: 6 };
    const { body } = encrypt(scene, new Float64Array(scene.set.slots).fill(0.5));
    const exact = exactValue(scene, body);
    for (const missing of committeesAmong([1, 2, 3, 4, 5, 6], 3)) {
      const committee = chooseCommittee(
        [6, 5, 4, 3, 2, 1].filter((index) => !missing.includes(index)),
        epoch,
      );
      const shares = new Map(
        committee.map((index) => [
          index,
          releaseShare(holder(scene, index), { ciphertext: body, committee, sigma }),
        ]),
      );
      const { residue } = inspectShares(scene.set, {
        c0: sumOfC0(body, scene.set),
        releases: [shares],
        isPlausible: () => true,
        tolerance: 0n,
      });
      expect(((residue as bigint) - exact) ** 2n).toBeLessThan((16n * sigma) ** 2n);
    }
    expect(chooseCommittee([6, 6, 2, 9, 0, 4, 5], epoch)).toEqual([2, 4, 5]);
    expect(() => chooseCommittee([1, 2, 7], epoch)).toThrow(
      expect.objectContaining({ code: 'COMMITTEE_INVALID' }),
    );
  });
});

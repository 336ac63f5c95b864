/** Proof of authority by rotation: a scheme that the package does not have, to show that one can be added. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type EndorsementScheme } from '../../src/index.js';
import { badSeal, staleTip } from '../../src/endorsement/scheme.js';

const parameters = z.strictObject({ members: z.array(z.string()).min(1) });

/** The proof is the hash of the block before and the Merkle root; the members take turns. */
export const rotation: EndorsementScheme<z.infer<typeof parameters>, null> = {
  name: 'rotation',
  parameters,
  state: z.null(),
  start: () => null,
  check(proof, { parameters: { members }, tip, miner }) {
    if (proof.length !== 64) throw badSeal('The proof is not 64 bytes.');
    const [previous, merkleRoot] = [proof.subarray(0, 32), proof.subarray(32)].map((part) =>
      Buffer.from(part).toString('hex'),
    ) as [string, string];
    if (previous !== tip.hash) throw staleTip(tip.height);
    if (members[tip.height % members.length] !== miner) throw badSeal(`It is not the turn of ${miner}.`);
    const hash = createHash('sha256').update(proof).digest('hex');
    return { merkleRoot, tip: { height: tip.height + 1, hash, state: null } };
  },
};

/** A chain of blocks as anyone can check it: genesis, leaves, replay. */
import { canonicalJson } from '@strokeshare/fhe';
import { digestOf } from '../api/canonical.js';
import { type ChosenScheme, type SealedBlock, type SealedItem } from '../api/endorsement.js';
import { merkleRoot } from '../api/merkle.js';
import { ContractError } from '../errors.js';
import { badSeal, type EndorsementScheme, type Tip } from './scheme.js';
import { schemes } from './schemes.js';

/** @throws ContractError NOT_FOUND */
export function schemeNamed(name: string): EndorsementScheme {
  const scheme = schemes.get(name);
  if (!scheme) throw new ContractError('NOT_FOUND', `This chaincode has no endorsement scheme "${name}".`);
  return scheme;
}

/** The tip before the first block; its hash commits to the choice. */
export function genesisTip(chosen: ChosenScheme): Tip<unknown> {
  const scheme = schemeNamed(chosen.scheme);
  return {
    height: 0,
    hash: digestOf({ type: 'strokeshare/endorsement-genesis', version: 1, ...chosen }),
    state: scheme.start(scheme.parameters.parse(chosen.parameters), Date.parse(chosen.chosenAt)),
  };
}

/** Root of a batch: the leaves are the canonical JSON of [kind, id, digest], in the batch's order. */
export const sealedRoot = (batch: readonly SealedItem[]): string =>
  merkleRoot(batch.map(({ kind, id, digest }) => Buffer.from(canonicalJson([kind, id, digest]))));

/**
 * Judges one block on a tip: the scheme's rules, then the batch against the root.
 * @returns the tip after it
 * @throws ContractError BAD_SEAL, STALE_TIP
 */
export function checkBlock(
  chosen: ChosenScheme,
  tip: Tip<unknown>,
  { proof, batch, miner, now }: { proof: string; batch: readonly SealedItem[]; miner: string; now: number },
): Tip<unknown> {
  const scheme = schemeNamed(chosen.scheme);
  const facts = { parameters: scheme.parameters.parse(chosen.parameters), tip, miner, now };
  const checked = scheme.check(Buffer.from(proof, 'base64'), facts);
  if (sealedRoot(batch) !== checked.merkleRoot)
    throw badSeal('The batch is not the one that the proof commits to.');
  return checked.tip;
}

/**
 * Replays a chain from its genesis.
 * @returns its tip
 * @throws ContractError BAD_SEAL or STALE_TIP at the first block that breaks a rule
 */
export async function verifyChain(
  chosen: ChosenScheme,
  blocks: AsyncIterable<SealedBlock> | Iterable<SealedBlock>,
): Promise<Tip<unknown>> {
  let tip = genesisTip(chosen);
  const sealed = new Set<string>();
  for await (const { proof, batch, sealedBy, sealedAt, hash, height } of blocks) {
    tip = checkBlock(chosen, tip, { proof, batch, miner: sealedBy, now: Date.parse(sealedAt) });
    if (tip.hash !== hash || tip.height !== height)
      throw badSeal(`The block ${height} is not stored under its own hash and height.`);
    for (const { kind, id } of batch) {
      const name = `${kind}/${id}`;
      if (sealed.has(name)) throw badSeal(`The block ${height} seals ${name} a second time.`);
      sealed.add(name);
    }
  }
  return tip;
}

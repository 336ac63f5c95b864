/** Proof of work as a scheme of endorsement: the cheapest rule first, the hash last. */
import { badSeal, type EndorsementScheme, staleTip } from '../scheme.js';
import { decodeHeader, HEADER_BYTES, headerHash, minerId, VERSION } from './header.js';
import { advance, medianTime, type PowParameters, powParameters, type PowState, powState } from './rules.js';
import { expandTarget, formatCompact } from './target.js';

export const powScheme: EndorsementScheme<PowParameters, PowState> = {
  name: 'pow',
  parameters: powParameters,
  state: powState,
  start: ({ target }, now) => ({ target, times: [now], windowStart: now }),
  check(proof, { parameters, tip, miner, now }) {
    const header = decodeHeader(proof);
    if (header?.version !== VERSION)
      throw badSeal(`The proof is no header of ${HEADER_BYTES} bytes in version ${VERSION}.`);
    const { height, previous, timestamp, target } = header;
    if (height !== tip.height + 1 || previous !== tip.hash) throw staleTip(tip.height);
    if (header.miner !== minerId(miner)) throw badSeal(`The work was not done by ${miner}.`);
    if (formatCompact(target) !== tip.state.target)
      throw badSeal(`The target is ${formatCompact(target)}; the chain asks for ${tip.state.target}.`);
    const median = medianTime(tip.state.times);
    if (timestamp <= median) throw badSeal('The timestamp is not above the median of the blocks before it.');
    if (timestamp > now + parameters.futureMs)
      throw badSeal(`The timestamp is more than ${parameters.futureMs} ms ahead of the transaction.`);
    const hash = headerHash(proof);
    if (BigInt(`0x${hash}`) >= (expandTarget(target) ?? 0n))
      throw badSeal('The header’s hash is not below the target.');
    const state = advance(tip.state, height, timestamp, parameters);
    return { merkleRoot: header.merkleRoot, tip: { height, hash, state } };
  },
};

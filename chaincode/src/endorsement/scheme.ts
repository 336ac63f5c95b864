/**
 * What a scheme of endorsement is: the rules by which a block of sharing transactions may be added to a channel's chain.
 * A scheme is pure: it reads no state and no clock, so that anyone replays a chain from its genesis with the same code.
 */
import { type z } from 'zod';
import { ContractError } from '../errors.js';

/** The end of a chain; the scheme's own state is whatever its rules need to judge the next block. */
export interface Tip<S> {
  /** 0 at the genesis. */
  readonly height: number;
  /** SHA-256 in hexadecimal: the hash that the next block links to. */
  readonly hash: string;
  readonly state: S;
}

/** What the next block is judged by. */
export interface SealFacts<P, S> {
  readonly parameters: P;
  readonly tip: Tip<S>;
  /** MSP ID of the caller that submits the seal. */
  readonly miner: string;
  /** The transaction's time in milliseconds. */
  readonly now: number;
}

export interface EndorsementScheme<P = unknown, S = unknown> {
  readonly name: string;
  /** Shape of the parameters that a channel chooses. */
  readonly parameters: z.ZodType<P>;
  readonly state: z.ZodType<S>;
  /** The state at the genesis. */
  start(parameters: P, now: number): S;
  /**
   * Judges a proof, the cheapest rule first; it never sees the batch, only commits to its root.
   * @returns the Merkle root that the proof commits to, and the tip after it
   * @throws ContractError BAD_SEAL; STALE_TIP where it extends another block
   */
  check(proof: Uint8Array, facts: SealFacts<P, S>): { readonly merkleRoot: string; readonly tip: Tip<S> };
}

/** The refusal of a seal. */
export const badSeal = (sentence: string): ContractError => new ContractError('BAD_SEAL', sentence);

/** The refusal of a seal that lost a race: its miner works again on the new tip. */
export const staleTip = (height: number): ContractError =>
  new ContractError('STALE_TIP', `The seal does not extend the block of height ${height}, which is the tip.`);

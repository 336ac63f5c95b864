/** Merkle tree hashes of RFC 6962, section 2.1, and the leaves that batches and datasets have. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@strokeshare/fhe';
import { byText } from './canonical.js';

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function treeHash(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return sha256(LEAF, first);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(NODE, treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** Root over byte strings, hexadecimal. */
export const merkleRoot = (leaves: readonly Uint8Array[]): string => treeHash(leaves).toString('hex');

const rootOfPairs = (pairs: readonly (readonly [string, string])[]): string =>
  merkleRoot([...pairs].sort(([a], [b]) => byText(a, b)).map((pair) => Buffer.from(canonicalJson(pair))));

/** Root of a batch: the leaves are the canonical JSON of [column, blob hash], in the order of the columns' names. */
export const batchMerkleRoot = (columns: Readonly<Record<string, string>>): string =>
  rootOfPairs(Object.entries(columns));

/** Root of a dataset: the leaves are the canonical JSON of [batch id, batch root], in the order of the ids. */
export const datasetMerkleRoot = (batches: readonly { batchId: string; merkleRoot: string }[]): string =>
  rootOfPairs(batches.map((batch) => [batch.batchId, batch.merkleRoot]));

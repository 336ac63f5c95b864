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

function pathTo(leaves: readonly Uint8Array[], index: number): string[] {
  if (leaves.length <= 1) return [];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...pathTo(left, index), `R${treeHash(right).toString('hex')}`]
    : [...pathTo(right, index - split), `L${treeHash(left).toString('hex')}`];
}

/**
 * The siblings from a column's leaf up to {@link batchMerkleRoot} (RFC 6962, section 2.1.1), each with the side that it
 * stands on; undefined where the batch has no such column.
 */
export function batchColumnPath(
  columns: Readonly<Record<string, string>>,
  column: string,
): string[] | undefined {
  const pairs = Object.entries(columns).sort(([a], [b]) => byText(a, b));
  const index = pairs.findIndex(([name]) => name === column);
  return index < 0
    ? undefined
    : pathTo(
        pairs.map((pair) => Buffer.from(canonicalJson(pair))),
        index,
      );
}

/**
 * The root that a column with this blob and path belongs to. Leaves and inner nodes are hashed with different first
 * bytes, so only a true leaf leads to the root of a batch.
 */
export function rootOfColumn(column: string, blob: string, path: readonly string[]): string {
  let hash = sha256(LEAF, Buffer.from(canonicalJson([column, blob])));
  for (const step of path) {
    const sibling = Buffer.from(step.slice(1), 'hex');
    hash = step.startsWith('L') ? sha256(NODE, sibling, hash) : sha256(NODE, hash, sibling);
  }
  return hash.toString('hex');
}

/** The endorsement shim: which scheme seals a channel's sharing transactions, what is pending, and the sealed blocks. */
import { z } from 'zod';
import { count, identifier, instant, mspId, positive, sha256 } from './primitives.js';

/** What is shared: each enters as PENDING on a channel whose scheme is not `none`. */
export const sharingKinds = ['batch', 'dataset', 'agreement'] as const;
export type SharingKind = (typeof sharingKinds)[number];
/** Computed from which of its two keys a sharing transaction has. */
export const sharingStates = ['PENDING', 'CONFIRMED'] as const;
export type SharingState = (typeof sharingStates)[number];

/** What one leaf of a block's Merkle tree commits to. */
export const sealedItem = z.strictObject({
  kind: z.enum(sharingKinds),
  /** The parts of the record's key, joined by `/`. */
  id: z.string().min(1).max(200),
  /** SHA-256 of the record's canonical JSON as it was entered. */
  digest: sha256,
});
export type SealedItem = z.infer<typeof sealedItem>;
export const pendingItem = sealedItem.extend({ by: mspId, at: instant });
export type PendingItem = z.infer<typeof pendingItem>;
export const confirmedItem = pendingItem.extend({ height: positive });
export type ConfirmedItem = z.infer<typeof confirmedItem>;

export const chooseScheme = z.strictObject({
  /** `none`, `pow`, or a scheme that the chaincode was built with. */
  scheme: identifier,
  /** The scheme's own, checked by it. */
  parameters: z.record(z.string(), z.json()),
  /** How many blocks, its own included, an entry needs before it may be used. */
  depth: positive.max(1000),
});
export type ChooseScheme = z.infer<typeof chooseScheme>;
export const chosenScheme = chooseScheme.extend({
  channel: z.string(),
  chosenBy: mspId,
  chosenAt: instant,
});
export type ChosenScheme = z.infer<typeof chosenScheme>;
/** Without a choice the scheme is `none`. */
export const schemeView = z.strictObject({ scheme: identifier, chosen: chosenScheme.optional() });

/** The end of the chain of blocks; `state` is the scheme's own. */
export const chainTip = z.strictObject({ height: count, hash: sha256, state: z.json() });
export type ChainTip = z.infer<typeof chainTip>;

export const sealBatch = z.strictObject({
  /** The scheme's own bytes, such as a header. */
  proof: z.base64().max(4096),
  /** In the order of the Merkle tree's leaves; an empty block only adds depth. */
  batch: z.array(sealedItem).max(100),
});
export type SealBatch = z.infer<typeof sealBatch>;
export const sealedBlock = z.strictObject({
  height: positive,
  hash: sha256,
  proof: z.base64(),
  batch: z.array(sealedItem),
  sealedBy: mspId,
  sealedAt: instant,
});
export type SealedBlock = z.infer<typeof sealedBlock>;
export const getBlock = z.strictObject({ height: positive });

export const getSharing = z.strictObject({ kind: z.enum(sharingKinds), id: z.string().min(1).max(200) });
export const sharingView = z.strictObject({
  state: z.enum(sharingStates),
  item: pendingItem,
  height: positive.optional(),
  /** Blocks from its own to the tip. */
  confirmations: count,
  /** Whether it has the depth that its use asks for. */
  usable: z.boolean(),
});
export type SharingView = z.infer<typeof sharingView>;

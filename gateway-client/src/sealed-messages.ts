import { shareBundle, type Job, type ShareBundle } from '@strokeshare/chaincode';
import { canonicalJson, openSealed, sealTo, type SealingKeyPair } from '@strokeshare/fhe';

/** What a sealed bundle of shares is and for whom; it opens for nothing else. */
export interface SharePurpose {
  kind: 'count-shares' | 'value-shares' | 'vector-share';
  epochId: string;
  jobId: string;
  /** Indexes of the holders that release together. */
  committee: readonly number[];
  /** MSP ID of the holder whose shares they are. */
  sender: string;
  /** MSP ID of the receiving holder, or the researcher's id. */
  recipient: string;
}

/** Seals shares (HPKE, base64 text). */
export async function sealShares(
  sealingKey: string,
  shares: ReadonlyMap<string, Uint8Array>,
  purpose: SharePurpose,
): Promise<string> {
  const bundle: ShareBundle = Object.fromEntries(
    [...shares].map(([cell, share]) => [cell, Buffer.from(share).toString('base64')]),
  );
  return sealFor(sealingKey, Buffer.from(JSON.stringify(bundle)), purpose);
}

/** Seals bytes (HPKE, base64 text). */
export async function sealFor(sealingKey: string, bytes: Uint8Array, purpose: SharePurpose): Promise<string> {
  const key = new Uint8Array(Buffer.from(sealingKey, 'base64'));
  return Buffer.from(await sealTo(key, bytes, infoOf(purpose))).toString('base64');
}

/**
 * Opens what {@link sealFor} sealed.
 *
 * @throws FheError `SEALED_MESSAGE_INVALID`.
 */
export function openFrom(
  keys: Pick<SealingKeyPair, 'privateKey'>,
  sealed: string,
  purpose: SharePurpose,
): Promise<Uint8Array> {
  return openSealed(keys, new Uint8Array(Buffer.from(sealed, 'base64')), infoOf(purpose));
}

/**
 * Opens what {@link sealShares} sealed.
 *
 * @throws FheError `SEALED_MESSAGE_INVALID`; ZodError when the sender sealed something else.
 */
export async function openShares(
  keys: Pick<SealingKeyPair, 'privateKey'>,
  sealed: string,
  purpose: SharePurpose,
): Promise<Map<string, Uint8Array>> {
  const text = await openFrom(keys, sealed, purpose);
  return sharesOf(shareBundle.parse(JSON.parse(Buffer.from(text).toString('utf8'))));
}

/** The bytes of a bundle, by cell. */
export function sharesOf(bundle: ShareBundle): Map<string, Uint8Array> {
  return new Map(
    Object.entries(bundle).map(([cell, share]) => [cell, new Uint8Array(Buffer.from(share, 'base64'))]),
  );
}

function infoOf({ kind, epochId, jobId, committee, sender, recipient }: SharePurpose): Uint8Array {
  const sorted = [...committee].sort((a, b) => a - b);
  return Buffer.from(canonicalJson(['strokeshare', 2, kind, epochId, jobId, sorted, sender, recipient]));
}

/** The purpose of shares of a job, for one sender and one recipient. */
export function sharePurpose(
  kind: SharePurpose['kind'],
  { epochId, jobId, committee = [] }: Pick<Job, 'epochId' | 'jobId' | 'committee'>,
  sender: string,
  recipient: string,
): SharePurpose {
  return { kind, epochId, jobId, committee: committee.map(({ index }) => index), sender, recipient };
}

import { z } from 'zod';

const file = z.string().min(1);
const place = z.strictObject({ host: z.string().min(1), port: z.number().int().min(0).max(65_535) });
const keyPair = z.strictObject({ certificate: file, key: file });

/** How a zone reads the ledger; paths are of PEM files. */
export const ledgerProfile = z.strictObject({
  mspId: z.string().min(1),
  peerEndpoint: z.string().regex(/^.+:\d+$/),
  peerHostAlias: z.string().min(1),
  tlsCaCertPath: file,
  certPath: file,
  keyPath: file,
});
export type LedgerProfile = z.infer<typeof ledgerProfile>;

/** `zone.json` of an external zone. */
export const externalConfig = z.strictObject({
  zone: z.literal('external'),
  mspId: z.string().min(1),
  /** Where the consortium reads. */
  listen: place,
  /** Where the internal zone publishes: an address that only the inside reaches. */
  publish: place,
  tls: keyPair,
  /** Verifying MSP folder of every institution and research organisation, by MSP ID. */
  members: z.record(z.string(), file),
  publishers: z
    .array(
      z.strictObject({
        mspId: z.string().min(1),
        subject: z.string().min(1),
        quotaBytes: z.number().int().positive().optional(),
      }),
    )
    .min(1),
  /** An identity that can only read, role `auditor`. */
  ledger: ledgerProfile,
  requestsPerSecond: z.number().int().positive().default(100),
  maximumBlobBytes: z
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024),
  scrubSeconds: z.number().positive().default(3600),
});
export type ExternalConfig = z.infer<typeof externalConfig>;
export { keyPair, place };

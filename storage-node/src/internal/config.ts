import { z } from 'zod';
import { keyPair, ledgerProfile, place } from '../external/config.js';

const file = z.string().min(1);
/** How another zone is reached from the inside. */
const zonePlace = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  /** Name in its TLS certificate, and the authority (PEM file) that issued that. */
  serverName: z.string().min(1),
  authority: file,
});

/** `zone.json` of an internal zone. */
export const internalConfig = z.strictObject({
  zone: z.literal('internal'),
  mspId: z.string().min(1),
  listen: place,
  tls: keyPair,
  /** The verifying MSP folder of the own institution: nobody else comes in. */
  msp: file,
  /** Enrolment certificate and key, as which the zone publishes. */
  identity: keyPair,
  /** Inner side of the own external zone. */
  publish: zonePlace,
  ledger: ledgerProfile,
  recordsChannel: z.string().min(1),
  /** Key-encryption keys: a file of mode 0600, or an environment variable. */
  keys: z.union([z.strictObject({ file }), z.strictObject({ environment: z.string().min(1) })]),
  anchorSeconds: z.number().positive().default(60),
  scrubSeconds: z.number().positive().default(3600),
  /** How long objects are kept at least. */
  retentionDays: z
    .strictObject({
      originals: z.number().nonnegative().default(3650),
      ciphertexts: z.number().nonnegative().default(365),
    })
    .prefault({}),
  replicas: z
    .strictObject({
      /** At so many of the hosts every ciphertext is kept. */
      count: z.number().int().nonnegative(),
      hosts: z.array(zonePlace.extend({ mspId: z.string().min(1) })),
    })
    .refine(({ count, hosts }) => count <= hosts.length, 'asks for more replicas than there are hosts')
    .default({ count: 0, hosts: [] }),
  maximumBlobBytes: z
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024),
});
export type InternalConfig = z.infer<typeof internalConfig>;

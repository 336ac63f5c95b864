/** Shapes that all records share: identifiers, hashes, instants, roles. */
import { z } from 'zod';

/** Values of the certificate attribute `strokeshare.role`. */
export const roles = ['operator', 'institution', 'researcher', 'auditor'] as const;
export type Role = (typeof roles)[number];
export const ROLE_ATTRIBUTE = 'strokeshare.role';

/** Names that people choose for records: 1 to 64 letters, digits and `. _ -`. */
export const identifier = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits or . _ -, not starting with . _ -',
  );
export const mspId = identifier;
/** MSP and certificate subject, `ResearchMSP/CN=alice,OU=client`. */
export const researcherId = z.string().min(3).max(400);
/** A cell of a plan. */
export const cellId = z.string().regex(/^[\x21-\x7e]{1,800}$/, 'must be 1 to 800 printable ASCII characters');
export const columnName = z
  .string()
  .regex(/^[\x21-\x7e]{1,100}$/, 'must be 1 to 100 printable ASCII characters');
/** SHA-256, lower-case hexadecimal. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hexadecimal');
/** A point in time, ISO 8601 in UTC: `2026-11-22T17:00:00Z`. */
export const instant = z.iso.datetime();
export const label = z.string().min(1).max(200);
export const text = z.string().min(1).max(2000);
export const count = z.number().int().nonnegative();
export const positive = z.number().int().positive();
/** A GA4GH Data Use Ontology code. */
export const duoCode = z
  .string()
  .regex(/^DUO:[0-9]{7}$/, 'must be a Data Use Ontology code such as DUO:0000007');

/** Base64 of exactly or at most so many bytes. */
export const base64 = (maximumBytes: number) => z.base64().max(4 * Math.ceil(maximumBytes / 3));
/** An X-Wing public key (X25519 and ML-KEM-768), 1,216 bytes in base64. */
export const sealingKey = z.base64().length(4 * Math.ceil(1216 / 3));
/** A detached signature: base64 of ECDSA P-256, DER, low S. */
export const signature = base64(72);
/** PEM of a P-256 public key (SubjectPublicKeyInfo). */
export const signingKey = z.string().min(100).max(400);

export const distinct = <T extends z.ZodType>(item: T, minimum: number, maximum: number) =>
  z
    .array(item)
    .min(minimum)
    .max(maximum)
    .refine(
      (list) => new Set(list.map((entry) => JSON.stringify(entry))).size === list.length,
      'names something twice',
    );

/** A page of a list: at most `limit` entries after `after`, which is the `next` of the page before. */
export const listRequest = z.strictObject({
  after: z.string().max(400).optional(),
  limit: z.number().int().min(1).max(100).optional(),
});
/** `next` is present where there are more. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: z.string().optional() });

/** What every event carries; its name is the transaction's, `JobContract:Submit`. */
export const ledgerEvent = z.strictObject({ id: z.string(), state: z.string().optional() });
export type LedgerEvent = z.infer<typeof ledgerEvent>;

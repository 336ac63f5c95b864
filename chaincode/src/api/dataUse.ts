/**
 * Conditions of use that owners put on datasets, and uses that researchers ask for, in terms of the GA4GH Data Use
 * Ontology. A condition is a code, with its parameters where the ontology's definition needs some.
 */
import { z } from 'zod';
import { DUO, duoTerm } from '../permission/duo.js';
import { distinct, duoCode, instant, mspId, researcherId, sha256 } from './primitives.js';

/** A disease of the Mondo ontology. */
export const mondoCode = z.string().regex(/^MONDO:[0-9]{7}$/, 'must be a Mondo code such as MONDO:0005098');
/** ISO 3166: a country, `CN`, or a part of it, `CN-11`. */
export const region = z
  .string()
  .regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, 'must be an ISO 3166 code such as CN-11');
/** A project by the name that its ethics approval or contract has. */
export const project = z.string().min(1).max(100);

const needed = ['DS', 'GS', 'TS', 'US', 'PS', 'IS', 'MOR', 'RS'] as const;
const parametrised: readonly string[] = needed.map((name) => DUO[name]);

const withParameters = z.discriminatedUnion('code', [
  z.strictObject({ code: z.literal(DUO.DS), diseases: distinct(mondoCode, 1, 20) }),
  z.strictObject({ code: z.literal(DUO.GS), regions: distinct(region, 1, 50) }),
  /** From the beginning of the period that is agreed. */
  z.strictObject({ code: z.literal(DUO.TS), months: z.number().int().min(1).max(1200) }),
  z.strictObject({ code: z.literal(DUO.US), users: distinct(researcherId, 1, 50) }),
  z.strictObject({ code: z.literal(DUO.PS), projects: distinct(project, 1, 50) }),
  z.strictObject({ code: z.literal(DUO.IS), institutions: distinct(mspId, 1, 50) }),
  /** Nothing is published before. */
  z.strictObject({ code: z.literal(DUO.MOR), until: instant }),
  /** The type of research in words: people decide whether a use is of it. */
  z.strictObject({ code: z.literal(DUO.RS), research: z.string().min(1).max(500) }),
]);
const withoutParameters = duoCode
  .refine((code) => duoTerm(code) !== undefined, 'is no term that the Data Use Ontology has for conditions')
  .refine(
    (code) => !parametrised.includes(code),
    'needs its parameters, such as {code, diseases} for DUO:0000007',
  );

export const condition = z.union([withoutParameters, withParameters]);
export type Condition = z.infer<typeof condition>;
export const codeOf = (entry: Condition): string => (typeof entry === 'string' ? entry : entry.code);

/** A dataset has exactly one permission, and any number of modifiers; all of them hold at once. */
export const conditions = z
  .array(condition)
  .min(1)
  .max(24)
  .refine((list) => new Set(list.map(codeOf)).size === list.length, 'names a term twice')
  .refine(
    (list) => list.filter((entry) => duoTerm(codeOf(entry))?.kind === 'permission').length === 1,
    'must have exactly one permission term (NRES, GRU, HMB, DS or POA)',
  );

/** What a condition cannot be decided on by machine: the researcher's word, in the agreement that the owners sign. */
export const attestation = z.strictObject({
  /** A modifier that is decided by attestation. */
  code: duoCode.refine((code) => {
    const term = duoTerm(code);
    return term?.kind === 'modifier' && term.decidedBy === 'attested';
  }, 'is no modifier that is attested'),
  /** One sentence. */
  statement: z.string().min(1).max(500),
  /** SHA-256 of the document that proves it; an ethics approval needs one. */
  document: sha256.optional(),
});
export type Attestation = z.infer<typeof attestation>;

/** What a use is, besides its purpose: everything that conditions may ask for. What is not stated does not hold. */
export const dataUse = z.strictObject({
  /** For disease specific research: all that is studied. */
  diseases: distinct(mondoCode, 1, 20).optional(),
  project: project.optional(),
  /** Where results are used. */
  regions: distinct(region, 1, 20).optional(),
  attestations: z
    .array(attestation)
    .max(12)
    .refine((list) => new Set(list.map(({ code }) => code)).size === list.length, 'attests something twice')
    .optional(),
});
export type DataUse = z.infer<typeof dataUse>;

/** An identifier as the ontology's tools print it, for messages: `HMB (DUO:0000006)`. */
export const named = (code: string): string => {
  const term = duoTerm(code);
  return term ? `${term.shorthand} (${code})` : code;
};

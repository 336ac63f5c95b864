/**
 * Lineage as W3C PROV-JSON: the parts of the format that the contracts write, in the format's own structure.
 * Source: "The PROV-JSON Serialization", W3C Member Submission 24 April 2013 (SUBM-prov-json-20130424), with its schema.
 */
import { z } from 'zod';

/** `prefix:local`, or a blank one for a relation. */
const qualifiedName = z.string().regex(/^(?:[a-z]+|_):[A-Za-z0-9_/%-]+$/);
const typedValue = z.strictObject({ $: z.string(), type: qualifiedName });
const attributeValue = z.union([z.string(), z.number().int(), typedValue]);

/** An element's or relation's attributes, besides those that the format itself reserves. */
const attributes = z.record(qualifiedName, z.union([attributeValue, z.array(attributeValue)]));
const withAttributes = <S extends z.ZodRawShape>(reserved: S) =>
  z.object(reserved).catchall(z.union([attributeValue, z.array(attributeValue)]));
const relations = <S extends z.ZodRawShape>(reserved: S) =>
  z.record(qualifiedName, withAttributes(reserved)).optional();
const time = z.iso.datetime();

export const provDocument = z.strictObject({
  prefix: z.record(z.string(), z.url()),
  entity: z.record(qualifiedName, attributes),
  activity: z.record(
    qualifiedName,
    withAttributes({ 'prov:startTime': time.optional(), 'prov:endTime': time.optional() }),
  ),
  agent: z.record(qualifiedName, attributes),
  used: relations({ 'prov:activity': qualifiedName, 'prov:entity': qualifiedName }),
  wasGeneratedBy: relations({
    'prov:entity': qualifiedName,
    'prov:activity': qualifiedName,
    'prov:time': time.optional(),
  }),
  wasDerivedFrom: relations({ 'prov:generatedEntity': qualifiedName, 'prov:usedEntity': qualifiedName }),
  wasAttributedTo: relations({ 'prov:entity': qualifiedName, 'prov:agent': qualifiedName }),
  wasAssociatedWith: relations({
    'prov:activity': qualifiedName,
    'prov:agent': qualifiedName,
    'prov:plan': qualifiedName.optional(),
  }),
  actedOnBehalfOf: relations({ 'prov:delegate': qualifiedName, 'prov:responsible': qualifiedName }),
});
export type ProvDocument = z.infer<typeof provDocument>;

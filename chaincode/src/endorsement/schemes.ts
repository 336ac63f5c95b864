/** The schemes that this chaincode is built with: another one is a file of its own and a line here. */
import { powScheme } from './pow/scheme.js';
import { type EndorsementScheme } from './scheme.js';

/** Schemes by name; `none`, which seals nothing, needs no rules and is not among them. */
export const schemes = new Map<string, EndorsementScheme>([[powScheme.name, powScheme as EndorsementScheme]]);

import { z } from 'zod';
import { networkConfigSchema } from '../config/schema.js';
import { readJson } from './files.js';
import { layout } from './layout.js';

/** The file that marks a directory as a network's: what was asked for, and how far its making came. */
export const markerSchema = z.strictObject({
  version: z.literal(1),
  /** `preparing` until every certificate is written; a network that stayed there is made anew. */
  phase: z.enum(['preparing', 'ready']),
  /** The topmost directory that had to be made; undefined when the directory was there (and empty). */
  madeDirectory: z.string().optional(),
  /** The description as it was first given, to recognise the same one. */
  requested: networkConfigSchema,
  /** The description in force, with the channels that came later. */
  config: networkConfigSchema,
});
export type Marker = z.infer<typeof markerSchema>;

/** The marker of a network directory; undefined when it is none. */
export function readMarker(dir: string): Marker | undefined {
  return readJson(layout(dir).marker, markerSchema);
}

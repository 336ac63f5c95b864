import { z } from 'zod';
import { networkErrorCodes } from '../errors.js';

/** What a daemon tells the program that started it, until it is ready. */
export const startMessageSchema = z.union([
  z.strictObject({ progress: z.string() }),
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ failed: z.strictObject({ code: z.enum(networkErrorCodes), message: z.string() }) }),
]);
export type StartMessage = z.infer<typeof startMessageSchema>;

import { setFlagsFromString } from 'node:v8';

/** The first Node whose V8 knows the flag. */
const SINCE = 24;

/**
 * By default V8 marks the whole heap for every 64 MB of buffers that were allocated, used or not: most of the time of a
 * process through which transactions of a megabyte pass. Here buffers count as the rest of the heap does.
 *
 * It concerns the whole process, which takes some hundred megabytes more for it: for programs, not for libraries.
 */
export function collectBuffersWithHeap(): void {
  if (Number(process.versions.node.split('.')[0]) >= SINCE)
    setFlagsFromString('--external-memory-accounted-in-global-limit');
}

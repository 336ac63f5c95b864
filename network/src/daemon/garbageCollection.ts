import { setFlagsFromString } from 'node:v8';

/** The first Node whose V8 knows the flag, and the last one that the options below were tried with. */
const SINCE = 24;
const TRIED = 24;

const major = Number(process.versions.node.split('.')[0]);

/**
 * By default V8 marks the whole heap for every 64 MB of buffers that were allocated, used or not: most of the time of a
 * process through which transactions of a megabyte pass. Here buffers count as the rest of the heap does.
 *
 * It concerns the whole process, which takes some hundred megabytes more for it: for programs, not for libraries.
 */
export function collectBuffersWithHeap(): void {
  if (major >= SINCE) setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/**
 * Options for the Node of a chaincode. Its heap is small (some 30 MB), so V8 marks it anew for every few megabytes that
 * pass through, forgets code that it is going to need again, and took a quarter of the process's time for that. With
 * these the heap may grow to three times what is alive, and young objects have room to die before they are copied.
 *
 * An option that a Node does not know would keep it from starting: others than those tried get none.
 */
export const rareCollections = (): string[] =>
  major <= TRIED ? ['--heap-growing-percent=200', '--min-semi-space-size=4'] : [];

import { setFlagsFromString } from 'node:v8';

/** The first Node whose V8 the flags were tried with. */
const SINCE = 24;

const setFlag = (flag: string): void => {
  if (Number(process.versions.node.split('.')[0]) >= SINCE) setFlagsFromString(flag);
};

/**
 * By default V8 marks the whole heap for every 64 MB of buffers that were allocated, used or not: most of the time of a
 * process through which transactions of a megabyte pass. Here buffers count as the rest of the heap does.
 *
 * It concerns the whole process, which takes some hundred megabytes more for it: for programs, not for libraries.
 */
export function collectBuffersWithHeap(): void {
  setFlag('--external-memory-accounted-in-global-limit');
}

/**
 * Lets the heap, buffers included, grow to twice what is alive before V8 marks it anew. A chaincode's is small, some
 * 30 MB: by default V8 marks all of it for every transaction that brings megabytes, at a fifth of the process's time.
 * It takes some ten megabytes a process.
 */
export function collectSeldom(): void {
  setFlag('--heap-growing-percent=100');
}

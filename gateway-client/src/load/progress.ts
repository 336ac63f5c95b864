import { SingleBar } from 'cli-progress';

/** Shows how far a long piece of work is. */
export interface ProgressBar {
  /** @param count - rows or patients so far, for the rate. */
  update(done: number, count: number): void;
  stop(): void;
}

/** On anything but a terminal a line is written this often. */
const LINE_EVERY_MS = 5000;

/**
 * A bar with rate and remaining time on a terminal; plain lines elsewhere.
 *
 * @param shown - `total` of what `update` is told as done, bytes of a file, say; `unit` that is counted, in the plural.
 */
export function progressBar(
  stream: NodeJS.WriteStream,
  { title, total, unit }: { title: string; total: number; unit: string },
): ProgressBar {
  const started = performance.now();
  const rate = (count: number): string => {
    const seconds = (performance.now() - started) / 1000;
    return `${count.toLocaleString('en')} ${unit}, ${Math.round(count / Math.max(seconds, 0.001)).toLocaleString('en')}/s`;
  };
  const bar = new SingleBar({
    stream,
    format: `${title} {bar} {percentage}% {rate}, {eta_formatted} left`,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: false,
    gracefulExit: false,
    noTTYOutput: true,
    notTTYSchedule: LINE_EVERY_MS,
    etaBuffer: 50,
  });
  bar.start(Math.max(1, total), 0, { rate: rate(0) });
  return {
    update(done, count) {
      bar.update(Math.min(done, total), { rate: rate(count) });
    },
    stop: () => bar.stop(),
  };
}

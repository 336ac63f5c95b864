import { SingleBar } from 'cli-progress';

/** Time that a stage took. */
export interface StageTime {
  name: string;
  seconds: number;
}

/** Told by the work of a stage how far it is: a fraction from 0 to 1, and what is being done. */
export type Progress = (fraction: number, note: string) => void;

const BAR_STEPS = 1000;

/**
 * Runs one stage after another and shows them: a bar that moves on a terminal, a line at the end of each stage
 * elsewhere.
 */
export class Stages {
  readonly times: StageTime[] = [];

  constructor(private readonly stream: NodeJS.WriteStream) {}

  async run<T>(name: string, work: (progress: Progress) => Promise<T>): Promise<T> {
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    const bar = this.stream.isTTY ? this.bar(name) : undefined;
    try {
      const result = await work((fraction, note) =>
        bar?.update(Math.min(BAR_STEPS, Math.round(fraction * BAR_STEPS)), { note }),
      );
      bar?.update(BAR_STEPS, { note: '' });
      this.times.push({ name, seconds: seconds() });
      if (!bar) this.stream.write(`${name}: ${seconds().toFixed(1)} s\n`);
      return result;
    } catch (error) {
      if (!bar) this.stream.write(`${name}: ended after ${seconds().toFixed(1)} s\n`);
      throw error;
    } finally {
      bar?.stop();
    }
  }

  private bar(name: string): SingleBar {
    const bar = new SingleBar({
      stream: this.stream,
      format: `${name.padEnd(42)} {bar} {percentage}% {duration_formatted} {note}`,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: false,
      // The demo ends in its own way when it is interrupted.
      gracefulExit: false,
    });
    bar.start(BAR_STEPS, 0, { note: '' });
    return bar;
  }
}

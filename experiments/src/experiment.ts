import { collectBuffersWithHeap } from '@strokeshare/network';
import { experiments } from './experiments/index.js';

/** `npm run experiment -- NAME`: exits non-zero where what the experiment shows does not hold. */
async function main(): Promise<number> {
  const name = process.argv[2];
  const experiment = name === undefined ? undefined : experiments[name];
  if (name === undefined || experiment === undefined) {
    const known = Object.entries(experiments).map(([key, { summary }]) => `  ${key.padEnd(12)} ${summary}`);
    console.error(
      [
        name === undefined ? 'Name an experiment:' : `There is no experiment '${name}'; these exist:`,
        ...known,
      ].join('\n'),
    );
    return name === undefined ? 0 : 1;
  }
  const outcome = await experiment.run((line) => {
    console.error(line);
  });
  console.log(`${name}: ${outcome.holds ? 'holds' : 'DOES NOT HOLD'}; ${outcome.summary}`);
  return outcome.holds ? 0 : 1;
}

collectBuffersWithHeap();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);

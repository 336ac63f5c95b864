import { loadavg } from 'node:os';
import { join } from 'node:path';
import { collectBuffersWithHeap } from '@strokeshare/network';
import { benches } from './benches/index.js';
import { machine, ROOT, table, writeJson } from './report.js';

/** `npm run bench -- NAME [--quick]`: runs one bench, prints its table and writes `out/bench/NAME.json`. */
async function main(): Promise<number> {
  const [name] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const bench = name === undefined ? undefined : benches[name];
  if (name === undefined || bench === undefined) {
    const known = Object.entries(benches).map(([key, { summary }]) => `  ${key.padEnd(10)} ${summary}`);
    console.error(
      [name === undefined ? 'Name a bench:' : `There is no bench '${name}'; these exist:`, ...known].join(
        '\n',
      ),
    );
    return name === undefined ? 0 : 1;
  }
  const [before] = loadavg();
  const rows = await bench.run((line) => console.error(line), { quick: process.argv.includes('--quick') });
  const file = join(ROOT, 'out', 'bench', `${name}.json`);
  const [after] = loadavg();
  // Other work on the machine makes times long and ratios rough: whoever reads them has to know of it.
  await writeJson(file, { machine: machine(), loadAverage: { before, after }, rows });
  console.log(table(rows));
  console.log(
    `load average ${before?.toFixed(1) ?? ''} before and ${after?.toFixed(1) ?? ''} after, on ${machine().cores} cores`,
  );
  console.log(`written to out/bench/${name}.json`);
  return 0;
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

import { join } from 'node:path';
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
  const rows = await bench.run((line) => console.error(line), { quick: process.argv.includes('--quick') });
  const file = join(ROOT, 'out', 'bench', `${name}.json`);
  await writeJson(file, { machine: machine(), rows });
  console.log(table(rows));
  console.log(`written to out/bench/${name}.json`);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);

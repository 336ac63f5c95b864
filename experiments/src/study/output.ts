import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toSvg, type Picture } from '@strokeshare/gateway-client';
import { ROOT } from '../report.js';

/** Writes what an experiment found: a table, a picture and its reading, in `out/experiments/NAME`. */
export async function writeFindings(
  name: string,
  { csv, picture, reading }: { csv: readonly string[]; picture: Picture; reading: readonly string[] },
): Promise<void> {
  const folder = join(ROOT, 'out', 'experiments', name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.csv`), `${csv.join('\n')}\n`);
  await writeFile(join(folder, `${name}.svg`), await toSvg(picture));
  await writeFile(join(folder, 'README.md'), `${reading.join('\n')}\n`);
}

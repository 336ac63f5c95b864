/** The built package as somebody else imports it: types and code, from ES modules and from CommonJS. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const run = promisify(execFile);
const FOLDER = join(__dirname, 'consumer');
const node = async (...args: string[]): Promise<string> => (await run(process.execPath, args)).stdout;

function disposableFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'strokeshare-bundle-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test('its types hold for both kinds of module', async () => {
  await expect(node(require.resolve('typescript/bin/tsc'), '-p', FOLDER)).resolves.toBe('');
});

test.each(['module.mts', 'commonjs.cts'])('%s runs on it, and both share one code', async (file) => {
  const printed = await node('--experimental-transform-types', '--no-warnings', join(FOLDER, file));
  expect(JSON.parse(printed)).toEqual({ one: true, estimate: 2 });
});

test('a bundler takes of the whole package no more than what is imported', async () => {
  using folder = disposableFolder();
  const outfile = join(folder.path, 'bundle.cjs');
  const { metafile } = await build({
    stdin: {
      contents: `import { oddsRatio } from '@strokeshare/gateway-client';
        console.log(oddsRatio({ exposedEvent: 4, exposedNone: 2, unexposedEvent: 1, unexposedNone: 1 }).estimate);`,
      resolveDir: FOLDER,
    },
    bundle: true,
    outfile,
    logLevel: 'silent',
    metafile: true,
    platform: 'node',
    // Compiled code for hardware keys, and modules that wait while they load: no bundle of this kind can hold them.
    external: ['pkcs11js', 'vega', 'vega-lite'],
  });
  const [bundle] = Object.values(metafile.outputs);
  const own = Object.keys(bundle!.inputs).filter((path) => /strokeshare|dist\//.test(path));
  const kept = own.filter((path) => bundle!.inputs[path]!.bytesInOutput > 0);
  expect(
    kept.filter((path) => !/gateway-client\/dist\/module\/(statistics\/|errors\.js)/.test(path)),
  ).toEqual([]);
  expect(kept.some((path) => path.endsWith('odds-ratio.js'))).toBe(true);
  expect(kept.some((path) => path.endsWith('survival.js'))).toBe(false);
  expect(await node(outfile)).toBe('2\n');
});

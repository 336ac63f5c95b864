/** The built package as somebody else imports it: types and code, from ES modules and from CommonJS. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FOLDER = join(__dirname, 'consumer');
const node = async (...args: string[]): Promise<string> => (await run(process.execPath, args)).stdout;

test('its types hold for both kinds of module', async () => {
  await expect(node(require.resolve('typescript/bin/tsc'), '-p', FOLDER)).resolves.toBe('');
});

test.each(['module.mts', 'commonjs.cts'])('%s runs on it, and both share one code', async (file) => {
  const printed = await node('--experimental-transform-types', '--no-warnings', join(FOLDER, file));
  expect(JSON.parse(printed)).toEqual({ one: true, estimate: 2 });
});

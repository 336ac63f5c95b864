import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const folder = join(__dirname, '..', '..', 'examples', 'fhe');
const examples = readdirSync(folder).filter((file) => /^\d/.test(file));

test('the examples are numbered from 1', () => {
  expect(examples.map((file) => Number.parseInt(file, 10))).toEqual(examples.map((_, i) => i + 1));
});

// An example ends with an error where it does not hold what its text says. The small set keeps this quick.
test.each(examples)('example %s runs', async (file) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, file), 'toy']);
  expect(stdout.trim().split('\n').length).toBeGreaterThan(1);
});

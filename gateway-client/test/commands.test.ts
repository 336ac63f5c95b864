/**
 * The guides for hospitals and researchers, and the numbered examples, as people type them: one embedded network, real
 * contracts, an agent process for every hospital.
 */
import { execFile as execFileByCallback } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { z } from 'zod';
import { program } from '../src/cli.js';
import { asking } from './guides/asking.js';
import { founding } from './guides/founding.js';
import { reserve } from './guides/reserve.js';
import { storing } from './guides/storing.js';
import { guideLines, shapeOf, wordsOf } from './guides/typedLines.js';
import { ALL_PATIENTS, PROJECT, Walk } from './guides/walk.js';
import { withdrawing } from './guides/withdrawing.js';

const EXAMPLES = join(PROJECT, 'examples', 'client');
const LIMIT_MS = 10 * 60 * 1000;
const execFile = promisify(execFileByCallback);

jest.setTimeout(LIMIT_MS);
const walk = new Walk();
beforeAll(() => walk.start(), LIMIT_MS);
afterAll(() => walk[Symbol.asyncDispose](), LIMIT_MS);

founding(walk);
asking(walk);
reserve(walk);

/** Runs numbered examples in their order, in a process of their own. */
async function examples(from: number, to: number): Promise<string> {
  const files = (await readdir(EXAMPLES)).filter((name) => {
    const number = Number(/^(\d\d)-.*\.ts$/.exec(name)?.[1]);
    return number >= from && number <= to;
  });
  const imports = files
    .sort()
    .map((name) => `await import(${JSON.stringify(pathToFileURL(join(EXAMPLES, name)).href)});`);
  const { stdout } = await execFile(process.execPath, ['--input-type=module', '--eval', imports.join('\n')], {
    env: { ...process.env, STROKESHARE_DEMO: walk.paths.root, NODE_OPTIONS: '' },
    cwd: PROJECT,
  });
  return stdout;
}

test('the numbered examples, with people who approve in between', async () => {
  expect(await examples(1, 2)).toContain('examples-request: REQUESTED, for AGE, STYPE');
  // The example waits for the signatures, of which two wait for a person.
  const signed = examples(3, 3);
  const items = z.array(z.object({ name: z.string(), reasons: z.array(z.string()) }));
  const [first, second, third] = walk.hospitals;
  for (const who of [first, second]) {
    await walk.until(who, 'inbox', /^agreement\/examples,/);
    expect(await walk.shell.json(who, 'inbox --json', items)).toContainEqual({
      name: 'agreement/examples',
      reasons: ['the purpose is DUO:0000007'],
    });
    await walk.shell.done(who, 'approve agreement/examples');
  }
  expect(await signed).toContain('Hospital2MSP signed at');

  await walk.changePolicy(third, { jobs: 'automatic' });
  const rest = await examples(4, 7);
  expect(rest).toContain(`count: ${ALL_PATIENTS}`);
  expect(rest).toContain('read from 2 peers');
  expect(rest).toContain('to be signed: ');
  expect(rest).toContain('RELEASE  JobContract:CloseRelease');
});

withdrawing(walk);
storing(walk);

test('every command of the guides for hospitals and researchers was typed here', () => {
  const root = program(walk.signal);
  const lines = ['hospitals.md', 'researchers.md'].flatMap((name) => guideLines(join(PROJECT, 'docs', name)));
  expect(lines.length).toBeGreaterThan(25);
  const untyped = lines.filter((line) => !walk.shell.shapes.has(shapeOf(root, wordsOf(line))));
  expect(untyped).toEqual([]);
});

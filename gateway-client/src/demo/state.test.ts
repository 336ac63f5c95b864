import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoDown } from './down.js';
import { demoPaths, findDemo, releaseFolder, takeFolder, type DemoPaths } from './state.js';

let root: string;
let paths: DemoPaths;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'strokeshare-demo-'));
  paths = demoPaths(join(root, '.strokeshare', 'demo'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('of two demos that begin at once one takes the folder, and the other is told so', async () => {
  const [one, two] = await Promise.allSettled([takeFolder(paths), takeFolder(paths)]);
  expect([one.status, two.status].sort()).toEqual(['fulfilled', 'rejected']);
  await expect(takeFolder(paths)).rejects.toMatchObject({ code: 'DEMO_RUNNING' });
  expect(await findDemo(paths)).toMatchObject({ kind: 'running', state: { demo: { pid: process.pid } } });
  await expect(demoDown(paths)).rejects.toMatchObject({ code: 'DEMO_RUNNING' });
  await releaseFolder(paths);
  expect(await findDemo(paths)).toEqual({ kind: 'nothing' });
});

test('what a demo that was killed left is removed, and nothing else', async () => {
  await mkdir(paths.agents, { recursive: true });
  await writeFile(paths.state, JSON.stringify({ version: 1, demo: { pid: process.pid, started: 'before' } }));
  await writeFile(join(root, '.strokeshare', 'other'), 'stays');
  expect(await findDemo(paths)).toMatchObject({ kind: 'left behind' });
  expect(await demoDown(paths)).toBe(true);
  expect(existsSync(paths.root)).toBe(false);
  expect(existsSync(join(root, '.strokeshare', 'other'))).toBe(true);
  expect(await demoDown(paths)).toBe(false);
});

test('a state file that is damaged counts as left behind', async () => {
  await mkdir(paths.root, { recursive: true });
  await writeFile(paths.state, '{"vers');
  expect(await findDemo(paths)).toEqual({ kind: 'left behind' });
});
